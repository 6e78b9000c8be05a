import type { Clock } from '@parley/ports'

/** Resolves when `work` is done, or after `ms`, leaving no timer behind. */
export async function settledWithin(clock: Clock, work: Promise<void>, ms: number): Promise<void> {
  const late = Promise.withResolvers<void>()
  const cancelTimer = clock.setTimer(late.resolve, ms)
  await Promise.race([work, late.promise]).finally(cancelTimer)
}
