import { describe, expect, it } from 'vitest'
import { createSystemClock } from './system-clock.ts'

describe('createSystemClock', () => {
  it('never fires a timer early, however far away it is', async () => {
    const clock = createSystemClock()
    let fired = 0
    const cancels = [2 ** 31, Infinity, Number.MAX_SAFE_INTEGER].map((delayMs) =>
      clock.setTimer(() => {
        fired += 1
      }, delayMs),
    )
    await new Promise<void>((resolve) => {
      clock.setTimer(resolve, 5)
    })
    for (const cancel of cancels) cancel()
    expect(fired).toBe(0)
  })
})
