/** The exit codes of `parley`; they are API. Ended by a signal, the demo exits with 128 + its number, as shells have it. */
export const exitCodes = {
  ok: 0,
  /** A decided no, or a check that did not hold. */
  no: 1,
  usage: 2,
  /** Something broke, or nobody knows what was done. */
  failure: 3,
} as const
