/** The steps that a record has to climb, however good it is: count of verified outcomes, time that they span, ceiling. */
export const earnedSteps = [
  { verified: 50, spanMs: 0, ceiling: 699 },
  { verified: 500, spanMs: 86_400_000, ceiling: 899 },
] as const

/** What the earned ceiling depends on. */
export interface EarnedRecord {
  readonly verified: number
  /** From the first verified outcome to the last. */
  readonly spanMs: number
}

/** Returns the highest score that a record of this length allows: a burst of good calls must not buy the top tier. */
export function earnedCeiling(record: EarnedRecord): number {
  return earnedSteps.find((step) => record.verified < step.verified || record.spanMs < step.spanMs)?.ceiling ?? 1000
}
