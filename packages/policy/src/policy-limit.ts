/** A token bucket that a hop has to be paid from: one for each agent that calls, capability, document and rule. */
export interface PolicyLimit {
  readonly rule: string
  /** What the bucket holds when full, above 0. */
  readonly max: number
  /** In how many milliseconds an empty bucket fills up. */
  readonly perMs: number
  /** What this hop takes, 0 or more: 1 for a call, or an amount. */
  readonly take: number
}
