import { createManualClock, createSeededRandom, silentLogger } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createOrphanWatch } from './orphan-watch.ts'

const leaseMs = 3_000

/** Watches over so many hours, and tells when everything was looked at, where each such look takes `tookMs`. */
async function watchFor(hours: number, tookMs: number): Promise<readonly number[]> {
  const clock = createManualClock()
  const beganAt: number[] = []
  const watch = createOrphanWatch({
    node: { clock, random: createSeededRandom(1), logger: silentLogger },
    leases: { look: async () => ({ alive: new Set<string>(), changed: false }) },
    leaseMs,
    async adopt() {
      beganAt.push(clock.monotonic())
      if (tookMs > 0) await new Promise<void>((resolve) => clock.setTimer(resolve, tookMs))
    },
  })
  const begun = watch.begin()
  await clock.advance(hours * 3_600_000)
  await begun
  watch.stop()
  return beganAt
}

describe('createOrphanWatch', () => {
  it('looks at everything about every thirtieth time, and where that takes long, a twentieth of the time', async () => {
    const quick = await watchFor(1, 0)
    expect(quick.length).toBeGreaterThan(100)
    const slow = await watchFor(1, 30_000)
    const gaps = slow.slice(1).map((at, before) => at - (slow[before] ?? 0))
    expect(gaps.length).toBeGreaterThan(3)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(21 * 30_000)
  })
})
