/** One step that a record has to climb, however good it is. */
export interface EarnedStep {
  /** Verified outcomes that lift the ceiling. */
  readonly verified: number
  /** The time that they have to span, from the first to the last. */
  readonly spanMs: number
  /** The highest score until then. */
  readonly ceiling: number
}

/** The steps of the default model. */
export const defaultEarnedSteps: readonly EarnedStep[] = [
  { verified: 50, spanMs: 0, ceiling: 699 },
  { verified: 500, spanMs: 86_400_000, ceiling: 899 },
]

/** Returns the highest score that a record of this length allows: a burst of good calls must not buy the top tier. */
export function earnedCeiling(steps: readonly EarnedStep[], verified: number, spanMs: number): number {
  for (const step of steps) if (verified < step.verified || spanMs < step.spanMs) return step.ceiling
  return 1000
}
