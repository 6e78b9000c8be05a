import type { Random } from '@parley/ports'
import type { SimDiskFailure } from '@parley/testkit'

/** Half of the runs have a store that never fails; of the others it fails up to once in twenty times. */
const shareOfRuns = 0.5
const most = 0.05

/**
 * Draws how the store of the sagas fails, as one on JetStream does: not reached, or reached and never answering. Asked once for
 * each thing that the store is asked for.
 */
export function drawStoreFailures(random: Random): () => SimDiskFailure | undefined {
  const rate = random.float() < shareOfRuns ? 0 : random.float() * most
  return () => {
    if (rate === 0 || random.float() >= rate) return undefined
    return random.float() < 0.5 ? 'unreached' : 'unanswered'
  }
}
