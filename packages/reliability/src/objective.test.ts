import { createManualClock, createSeededRandom, type ManualClock } from '@parley/ports'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createObjective, type Objective, type ObjectiveOptions } from './objective.ts'
import { createSlidingWindow } from './sliding-window.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

function setUp(options: Partial<ObjectiveOptions> = {}): { clock: ManualClock; objective: Objective } {
  const clock = createManualClock()
  return { clock, objective: createObjective({ clock, target: 0.995, ...options }) }
}

function record(objective: Objective, good: number, bad: number): void {
  for (let count = 0; count < good; count++) objective.record(true)
  for (let count = 0; count < bad; count++) objective.record(false)
}

describe('createObjective', () => {
  it.each([
    [1_000, 0, 1],
    [996, 4, 0.2],
    [995, 5, 0],
    [990, 10, 0],
  ])('leaves of 99.5 %% over %i good and %i bad a budget of %f', (good, bad, left) => {
    const { objective } = setUp()
    record(objective, good, bad)
    expect(objective.budgetLeft()).toBe(left)
  })

  it.each([
    [950, 50, 10],
    [990, 10, 2],
    [1_000, 0, 0],
    [0, 0, 0],
    [0, 7, 200],
  ])('burns at 99.5 %% over %i good and %i bad at %f', (good, bad, rate) => {
    const { objective } = setUp()
    record(objective, good, bad)
    expect(objective.burnRate(hourMs)).toBe(rate)
    expect(objective.burnRate(5 * minuteMs)).toBe(rate)
  })

  it('is not exhausted by one bad event in 100,000', () => {
    const { objective } = setUp()
    record(objective, 99_999, 1)
    expect(objective.budgetLeft()).toBe(0.998)
  })

  it('does not burn below 20 events, however bad', () => {
    const { objective } = setUp()
    record(objective, 0, 19)
    expect(objective.burning()).toBeUndefined()
    record(objective, 0, 1)
    expect(objective.burning()).toMatchObject({ burnRate: 14.4, longRate: 200, shortRate: 200 })
  })

  it('does not burn at its threshold, only above', () => {
    const { objective } = setUp({ target: 0.9, windows: [{ longMs: hourMs, shortMs: 5 * minuteMs, burnRate: 5 }] })
    record(objective, 10, 10)
    expect(objective.burning()).toBeUndefined()
    record(objective, 0, 1)
    expect(objective.burning()).toMatchObject({ burnRate: 5 })
  })

  it('needs the long window as well as the short one', async () => {
    const { clock, objective } = setUp()
    record(objective, 2_000, 0)
    await clock.advance(10 * minuteMs)
    record(objective, 0, 30)
    expect(objective.burnRate(5 * minuteMs)).toBe(200)
    expect(objective.burning()).toBeUndefined()
  })

  it('needs the short window as well as the long one', async () => {
    const { clock, objective } = setUp()
    record(objective, 0, 30)
    await clock.advance(40 * minuteMs)
    record(objective, 30, 0)
    expect(objective.burnRate(hourMs)).toBe(100)
    expect(objective.burning()).toBeUndefined()
  })

  it('sees a slow burn by the second pair', async () => {
    const { clock, objective } = setUp()
    for (let count = 0; count < 10; count++) {
      record(objective, 96, 4)
      await clock.advance(minuteMs)
    }
    expect(objective.burning()).toMatchObject({ burnRate: 6, longRate: 8, shortRate: 8 })
  })

  it('goes on burning until the short window is below half the threshold', () => {
    const windows = [{ longMs: hourMs, shortMs: 5 * minuteMs, burnRate: 4 }]
    const { objective } = setUp({ target: 0.9, windows })
    record(objective, 10, 10)
    expect(objective.burning()).toBeDefined()
    record(objective, 20, 0)
    expect(objective.burnRate(5 * minuteMs)).toBe(2.5)
    expect(objective.burning()).toBeDefined()
    record(objective, 11, 0)
    expect(objective.burnRate(5 * minuteMs)).toBeLessThan(2)
    expect(objective.burning()).toBeUndefined()
  })

  it('forgets on rearm what could burn, not what was spent', () => {
    const { objective } = setUp()
    record(objective, 0, 30)
    expect(objective.burning()).toBeDefined()
    objective.rearm()
    expect(objective.burning()).toBeUndefined()
    expect(objective.burnRate(hourMs)).toBe(0)
    expect(objective.budgetLeft()).toBe(0)
  })

  it('gets its budget back when the events are over', async () => {
    const { clock, objective } = setUp()
    record(objective, 0, 30)
    await clock.advance(24 * hourMs)
    expect(objective.budgetLeft()).toBe(1)
    expect(objective.counts()).toEqual({ good: 0, bad: 0 })
  })

  it('refuses a target that no events could miss, and a window that it does not have', () => {
    const refused = expect.objectContaining({ code: 'mesh.config-invalid' })
    for (const target of [0, 1, -1, 2, NaN, 0.5]) expect(() => setUp({ target })).toThrow(refused)
    expect(() => setUp().objective.burnRate(7)).toThrow(RangeError)
  })
})

describe('createSlidingWindow', () => {
  it('holds every event younger than 23/24 of its length and none older than all of it', async () => {
    const events = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 3_000 })), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(events, fc.integer({ min: 0, max: 30_000 }), async (steps, pauseMs) => {
        let now = createSeededRandom(steps.length).float() * 1_000
        const start = now
        const clock = { ...createManualClock(), monotonic: () => now }
        const window = createSlidingWindow(clock, 2_400)
        const recorded: { isGood: boolean; atMs: number }[] = []
        for (const [isGood, waitMs] of steps) {
          now += waitMs
          window.record(isGood)
          recorded.push({ isGood, atMs: now })
        }
        now += pauseMs
        const within = (ageMs: number, wanted: boolean): number =>
          recorded.filter(({ isGood, atMs }) => isGood === wanted && now - atMs < ageMs).length
        const { good, bad } = window.counts()
        expect(now).toBeGreaterThanOrEqual(start)
        expect(good).toBeGreaterThanOrEqual(within(2_300, true))
        expect(good).toBeLessThanOrEqual(within(2_400, true))
        expect(bad).toBeGreaterThanOrEqual(within(2_300, false))
        expect(bad).toBeLessThanOrEqual(within(2_400, false))
      }),
    )
  })

  it('does not care about a jump of the wall clock', () => {
    const clock = createManualClock()
    const window = createSlidingWindow(clock, hourMs)
    window.record(false)
    clock.jump(-24 * hourMs)
    window.record(true)
    clock.jump(48 * hourMs)
    expect(window.counts()).toEqual({ good: 1, bad: 1 })
  })
})
