/** What happened in a run, in order: the same seed writes the same bytes. */
export interface SimTimeline {
  note(atMs: number, who: string, what: string): void
  /** One line an event: virtual milliseconds, process, what. */
  text(): string
}

/** Creates an empty timeline. */
export function createSimTimeline(): SimTimeline {
  const lines: { readonly atMs: number; readonly who: string; readonly what: string }[] = []
  return {
    note(atMs, who, what) {
      lines.push({ atMs, who, what })
    },
    text: () =>
      lines.map(({ atMs, who, what }) => `${atMs.toFixed(3).padStart(12)} ms  ${who.padEnd(12)}  ${what}\n`).join(''),
  }
}
