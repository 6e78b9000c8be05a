import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createDeadline } from './deadline.ts'

describe('createDeadline', () => {
  it('shrinks with time and at every hop', async () => {
    const clock = createManualClock()
    const first = createDeadline({ clock, remainingMs: 1_000 })
    await clock.advance(300)
    expect(first.remainingMs()).toBe(700)
    const hop = first.decideHop()
    expect(hop).toEqual({ kind: 'allow', remainingMs: 695 })
    const second = createDeadline({ clock, remainingMs: 695 })
    await clock.advance(95)
    expect(second.decideHop()).toEqual({ kind: 'allow', remainingMs: 595 })
  })

  it('gives a hop no more than its own timeout', () => {
    const deadline = createDeadline({ clock: createManualClock(), remainingMs: 1_000 })
    expect(deadline.decideHop(200)).toEqual({ kind: 'allow', remainingMs: 200 })
    expect(deadline.decideHop(5_000)).toEqual({ kind: 'allow', remainingMs: 995 })
  })

  it('refuses a hop that has too little time', async () => {
    const clock = createManualClock()
    const deadline = createDeadline({ clock, remainingMs: 100 })
    await clock.advance(85)
    expect(deadline.decideHop()).toEqual({ kind: 'allow', remainingMs: 10 })
    await clock.advance(1)
    expect(deadline.decideHop()).toMatchObject({ kind: 'deny', code: 'deadline.exceeded' })
    await clock.advance(100)
    expect([deadline.remainingMs(), deadline.isOver()]).toEqual([0, true])
  })

  it('does not care about a jump of the wall clock', () => {
    const clock = createManualClock()
    const deadline = createDeadline({ clock, remainingMs: 100 })
    clock.jump(3_600_000)
    expect(deadline.remainingMs()).toBe(100)
  })

  it('is over at once for a remaining time that is no time', () => {
    for (const remainingMs of [NaN, -1, 0]) {
      const deadline = createDeadline({ clock: createManualClock(), remainingMs })
      expect(deadline.isOver()).toBe(true)
      expect(deadline.decideHop().kind).toBe('deny')
    }
  })
})
