import { describe, expect, it } from 'vitest'
import { measureLoad } from './measure-load.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('measureLoad', () => {
  it('never has more in flight than asked, and as many', async () => {
    let running = 0
    let most = 0
    const load = await measureLoad(
      async () => {
        most = Math.max(most, ++running)
        await turn()
        running--
      },
      16,
      20,
    )
    expect(most).toBe(16)
    expect(running).toBe(0)
    expect(load.callsPerSecond).toBeGreaterThan(0)
    expect(load.p50Ms).toBeLessThanOrEqual(load.p99Ms)
  })

  it('counts what failed apart from what was done', async () => {
    let call = 0
    const load = await measureLoad(
      async () => {
        await turn()
        if (call++ % 2 === 0) throw new Error('no')
      },
      1,
      20,
    )
    expect(load.failed).toBeGreaterThan(0)
    expect(Math.abs(load.failed - (call - load.failed))).toBeLessThanOrEqual(1)
  })
})
