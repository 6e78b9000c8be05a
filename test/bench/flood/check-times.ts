/** What the checks of frames cost that a bucket lets through. */
export interface CheckTimes {
  time<Answer>(check: () => Answer): Answer
  /** Milliseconds of all checks so far. */
  totalMs(): number
}

/**
 * Times checks by the clock, since asking for processor time costs as much as a tenth of a check. Of the checks between two
 * looks the median counts for each, so that one during which another process ran does not weigh.
 */
export function createCheckTimes(): CheckTimes {
  let samples: number[] = []
  let totalMs = 0
  return {
    time(check) {
      const startMs = performance.now()
      const answer = check()
      samples.push(performance.now() - startMs)
      return answer
    },
    totalMs() {
      const median = samples.toSorted((a, b) => a - b)[samples.length >> 1] ?? 0
      totalMs += median * samples.length
      samples = []
      return totalMs
    },
  }
}
