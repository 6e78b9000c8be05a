import { describe, expect, it } from 'vitest'
import { createManualClock } from './manual-clock.ts'

describe('createManualClock', () => {
  it('stands still until it is told to move', async () => {
    const clock = createManualClock(1_000)
    await clock.settle()
    expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0])
    await clock.advance(250)
    expect([clock.now(), clock.monotonic()]).toEqual([1_250, 250])
  })

  it('tells wall time in whole milliseconds, also between two', async () => {
    const clock = createManualClock(1_000)
    await clock.advance(0.75)
    expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0.75])
    await clock.advance(0.5)
    expect([clock.now(), clock.monotonic()]).toEqual([1_001, 1.25])
  })

  it('fires timers in the order of their time, then of their making, at their own time', async () => {
    const clock = createManualClock(0)
    const fired: string[] = []
    const note = (name: string) => () => fired.push(`${name}@${String(clock.monotonic())}`)
    clock.setTimer(note('late'), 30)
    clock.setTimer(note('first'), 10)
    clock.setTimer(note('second'), 10)
    clock.setTimer(note('now'), -5)
    clock.setTimer(note('never'), 31)
    await clock.advance(30)
    expect(fired).toEqual(['now@0', 'first@10', 'second@10', 'late@30'])
  })

  it('fires what a timer sets within the same move', async () => {
    const clock = createManualClock()
    const fired: number[] = []
    clock.setTimer(() => clock.setTimer(() => fired.push(clock.monotonic()), 5), 5)
    await clock.advance(10)
    expect(fired).toEqual([10])
  })

  it('lets promises settle between timers', async () => {
    const clock = createManualClock()
    const order: string[] = []
    clock.setTimer(() => void Promise.resolve().then(() => order.push('promise')), 1)
    clock.setTimer(() => order.push('timer'), 2)
    await clock.advance(2)
    expect(order).toEqual(['promise', 'timer'])
  })

  it('forgets a cancelled timer, and cancelling twice does nothing', async () => {
    const clock = createManualClock()
    const fired: string[] = []
    const cancel = clock.setTimer(() => fired.push('cancelled'), 1)
    clock.setTimer(() => fired.push('kept'), 1)
    cancel()
    cancel()
    await clock.advance(5)
    expect(fired).toEqual(['kept'])
  })

  it('jumps wall time without touching durations or timers', async () => {
    const clock = createManualClock(10_000)
    const fired: string[] = []
    clock.setTimer(() => fired.push('timer'), 100)
    clock.jump(-5_000)
    expect([clock.now(), clock.monotonic()]).toEqual([5_000, 0])
    clock.jump(1_000_000)
    await clock.settle()
    expect(fired).toEqual([])
  })

  it('defers to the end of the turn: after the microtasks that are queued', async () => {
    const clock = createManualClock()
    const order: string[] = []
    clock.defer(() => order.push('deferred'))
    void Promise.resolve().then(() => order.push('microtask'))
    await clock.settle()
    expect(order).toEqual(['microtask', 'deferred'])
  })
})
