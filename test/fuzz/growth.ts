/** What was seen after a batch of frames. */
export interface Sample {
  readonly heapBytes: number
  readonly msPerFrame: number
  /** Sessions, pending answers and the like that the node holds. */
  readonly held: number
}

/** What a long run may add to the heap: memos and windows fill up to their bounds. */
const heapSlackBytes = 48 * 1_048_576
/** How much slower the end may be than the beginning, on a machine that others use too. */
const slownessFactor = 4
/** Fewer samples than this tell nothing. */
const minSamples = 20

/** Finds memory or time that grew from the first fifth of a run to its last; empty where neither did. */
export function findGrowth(samples: readonly Sample[]): readonly string[] {
  if (samples.length < minSamples) return []
  const fifth = Math.floor(samples.length / 5)
  // What is compiled and filled once comes before the first fifth.
  const [first, last] = [samples.slice(fifth, 2 * fifth), samples.slice(-fifth)]
  const problems: string[] = []
  const [heapBefore, heapAfter] = [first, last].map((part) => Math.min(...part.map(({ heapBytes }) => heapBytes)))
  const grownBytes = (heapAfter ?? 0) - (heapBefore ?? 0)
  if (grownBytes > heapSlackBytes) problems.push(`the heap grew by ${(grownBytes / 1_048_576).toFixed(0)} MiB`)
  const [fast = 0, slow = 0] = [first, last].map((part) => middleOf(part.map(({ msPerFrame }) => msPerFrame)))
  if (slow > fast * slownessFactor)
    problems.push(`a frame took ${(fast * 1e3).toFixed(0)} µs at first and ${(slow * 1e3).toFixed(0)} µs at last`)
  return problems
}

function middleOf(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0
}
