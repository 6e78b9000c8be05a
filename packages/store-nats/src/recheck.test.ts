import { describe, expect, it } from 'vitest'
import { createRecheck } from './recheck.ts'

describe('createRecheck', () => {
  it('checks once for all who wait, and not at all unless it is demanded', async () => {
    let checks = 0
    const { demand, wait } = createRecheck(async () => {
      checks += 1
    })
    await wait()
    expect(checks).toBe(0)
    demand()
    await Promise.all([wait(), wait()])
    await wait()
    expect(checks).toBe(1)
  })
  it('is made again after it failed, and again after what was demanded while it ran', async () => {
    const results = [Promise.reject(new Error('away')), Promise.resolve(), Promise.resolve()]
    let checks = 0
    const { demand, wait } = createRecheck(() => results[checks++] ?? Promise.resolve())
    demand()
    await expect(wait()).rejects.toThrow('away')
    const again = wait()
    demand()
    await Promise.all([again, wait()])
    expect(checks).toBe(3)
  })
})
