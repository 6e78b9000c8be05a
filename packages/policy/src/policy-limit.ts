/** A token bucket that a hop has to be paid from: one for each agent that calls, document, rule and capability. */
export interface PolicyLimit {
  readonly rule: string
  /** What the bucket holds when full, above 0. */
  readonly max: number
  /** In how many milliseconds an empty bucket fills up. */
  readonly perMs: number
  /** What this hop takes, 0 or more: 1 for a call, or an amount. */
  readonly take: number
  /** Whether it is an amount that is taken, and no call; default no. */
  readonly isAmount?: boolean
  /** Whether all capabilities that the rule lets pass are paid from one bucket; default no, each has its own. */
  readonly isShared?: boolean
}
