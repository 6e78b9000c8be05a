import { createManualClock } from '@parley/ports'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTimerQueue } from './timer-queue.ts'

describe('createTimerQueue', () => {
  it('calls in the order of the times, and at none of them what was cancelled', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: -5, max: 500 }), fc.boolean()), { maxLength: 80 }),
        async (timers) => {
          const clock = createManualClock()
          const queue = createTimerQueue(clock)
          const called: { readonly at: number; readonly dueMs: number; readonly atMs: number }[] = []
          const cancels = timers.map(([delayMs], at) =>
            queue.set(() => called.push({ at, dueMs: Math.max(0, delayMs), atMs: clock.monotonic() }), delayMs),
          )
          for (const [at, [, isCancelled]] of timers.entries()) if (isCancelled) cancels[at]?.()
          await clock.advance(250)
          await clock.advance(250)
          const expected = timers
            .map(([delayMs, isCancelled], at) => ({ at, dueMs: Math.max(0, delayMs), isCancelled }))
            .filter(({ isCancelled }) => !isCancelled)
            .sort((left, right) => left.dueMs - right.dueMs || left.at - right.at)
          expect(called.map(({ at }) => at)).toEqual(expected.map(({ at }) => at))
          expect(called.every(({ dueMs, atMs }) => atMs === dueMs)).toBe(true)
        },
      ),
      { numRuns: 15, seed: 5 },
    )
  })

  it('holds one timer of the clock while something waits, and none after', () => {
    const clock = createManualClock()
    let held = 0
    const queue = createTimerQueue({
      ...clock,
      setTimer(callback, delayMs) {
        held += 1
        const cancel = clock.setTimer(callback, delayMs)
        let isHeld = true
        return () => {
          if (isHeld) held -= 1
          isHeld = false
          cancel()
        }
      },
    })
    const cancels = [30, 20, 10, 40].map((delayMs) => queue.set(() => undefined, delayMs))
    expect(held).toBe(1)
    for (const cancel of [...cancels, ...cancels]) cancel()
    expect(held).toBe(0)
  })

  it('sorts out cancelled entries without losing one that waits', async () => {
    const clock = createManualClock()
    const queue = createTimerQueue(clock)
    const called: number[] = []
    const cancels: (() => void)[] = []
    for (let at = 0; at < 5_000; at++) {
      const cancel = queue.set(() => called.push(at), 5_000 - at)
      if (at % 1_000 !== 0) cancels.push(cancel)
    }
    for (const cancel of cancels) cancel()
    await clock.advance(5_000)
    expect(called).toEqual([4_000, 3_000, 2_000, 1_000, 0])
  })

  it('takes a timer that a callback sets', async () => {
    const clock = createManualClock()
    const queue = createTimerQueue(clock)
    const called: number[] = []
    queue.set(() => {
      called.push(clock.monotonic())
      queue.set(() => called.push(clock.monotonic()), 5)
    }, 10)
    queue.set(() => called.push(clock.monotonic()), 30)
    await clock.advance(30)
    expect(called).toEqual([10, 15, 30])
  })
})
