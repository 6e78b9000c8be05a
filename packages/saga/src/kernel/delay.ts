import type { RetryPlan } from '../definition/plan.ts'

/**
 * Computes the wait before try number `tries + 1`: doubling from the minimum to the maximum, of which a random half is
 * taken off, so that many sagas do not come back at the same moment. `random` is in [0, 1). At least 1.
 */
export function delayMs(retry: RetryPlan, tries: number, random: number): number {
  const fullMs = Math.min(retry.maxDelayMs, retry.minDelayMs * 2 ** Math.min(tries, 30))
  return Math.max(1, Math.round(fullMs * (1 - random / 2)))
}
