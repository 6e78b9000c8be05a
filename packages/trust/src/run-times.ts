/** When the rater ran: an hour in which it did not run is no idle hour of its peers. */
export interface RunTimes {
  /** Says that the rater ran from one time to another. */
  mark(fromMs: number, toMs: number): void
  /** Returns how many of the milliseconds between two times it ran. Up to now, it has to be marked up to now. */
  between(fromMs: number, toMs: number): number
  /** The spans, oldest first, for keeping them. */
  spans(): readonly RunSpan[]
}

/** One run: from, to. */
export type RunSpan = readonly [fromMs: number, toMs: number]

/** Each restart is a span. The two oldest become one where there are more: time between them then counts as run. */
const maxSpans = 512

/** Creates run times without any run. */
export function createRunTimes(): RunTimes {
  const spans: { fromMs: number; toMs: number }[] = []
  return {
    mark(fromMs, toMs) {
      const last = spans.at(-1)
      if (last !== undefined && fromMs <= last.toMs) {
        last.toMs = Math.max(last.toMs, toMs)
        return
      }
      spans.push({ fromMs, toMs: Math.max(fromMs, toMs) })
      if (spans.length <= maxSpans) return
      const [first, second] = spans.splice(0, 2)
      if (first && second) spans.unshift({ fromMs: first.fromMs, toMs: second.toMs })
    },
    between(fromMs, toMs) {
      let sum = 0
      for (let index = spans.length - 1; index >= 0; index--) {
        const span = spans[index]
        if (span === undefined || span.toMs <= fromMs) break
        sum += Math.max(0, Math.min(span.toMs, toMs) - Math.max(span.fromMs, fromMs))
      }
      return sum
    },
    spans: () => spans.map(({ fromMs, toMs }) => [fromMs, toMs]),
  }
}
