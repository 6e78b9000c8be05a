import type { Clock } from '@parley/ports'

/** How many events of each sort a window holds. */
export interface WindowCounts {
  readonly good: number
  readonly bad: number
}

/** Counts events of the last `windowMs` in memory that does not grow. */
export interface SlidingWindow {
  readonly windowMs: number
  record(isGood: boolean): void
  counts(): WindowCounts
  clear(): void
}

const bucketCount = 24

/**
 * Creates an empty window. It forgets in steps of a 24th of its length, so that it covers between 23/24 of `windowMs` and
 * all of it. Time is monotonic: a jump of the wall clock neither forgets nor revives events.
 */
export function createSlidingWindow(clock: Clock, windowMs: number): SlidingWindow {
  // The good ones' buckets, then the bad ones'.
  const buckets = new Uint32Array(bucketCount * 2)
  const bucketMs = windowMs / bucketCount
  let current = Math.floor(clock.monotonic() / bucketMs)
  let totalGood = 0
  let totalBad = 0
  const clear = (): void => {
    buckets.fill(0)
    totalGood = 0
    totalBad = 0
  }
  const advance = (): void => {
    const now = Math.floor(clock.monotonic() / bucketMs)
    if (now - current >= bucketCount) clear()
    else {
      for (let bucket = current + 1; bucket <= now; bucket++) {
        const index = bucket % bucketCount
        totalGood -= buckets[index] ?? 0
        totalBad -= buckets[index + bucketCount] ?? 0
        buckets[index] = 0
        buckets[index + bucketCount] = 0
      }
    }
    current = now
  }
  return {
    windowMs,
    record(isGood) {
      advance()
      const index = (current % bucketCount) + (isGood ? 0 : bucketCount)
      buckets[index] = (buckets[index] ?? 0) + 1
      if (isGood) totalGood += 1
      else totalBad += 1
    },
    counts() {
      advance()
      return { good: totalGood, bad: totalBad }
    },
    clear,
  }
}
