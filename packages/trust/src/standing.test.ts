import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { weighDimensions } from './dimensions.ts'
import { outcomeTable, rowOf, type OutcomeRow } from './outcome-table.ts'
import { createStanding, earnedCeilingOf, observeOutcome, scoreAt, tierAt, type Standing } from './standing.ts'

const dayMs = 86_400_000

function row(role: 'callee' | 'caller', outcome: 'ok' | 'declined' | 'failed'): OutcomeRow {
  const found = rowOf({ role, outcome })
  if (found === undefined) throw new Error(`no row for ${role} ${outcome}`)
  return found
}

function repeat(standing: Standing, of: OutcomeRow, times: number, everyMs = 0): Standing {
  let next = standing
  for (let count = 1; count <= times; count++) next = observeOutcome(next, of, standing.atMs + count * everyMs)
  return next
}

const newcomer = createStanding(500, 0)

describe('observeOutcome', () => {
  it('leaves a newcomer in its tier after one failure and takes it out after three', () => {
    const scores = [1, 2, 3].map((times) => scoreAt(repeat(newcomer, row('callee', 'failed'), times), 0))
    expect(scores).toEqual([490, 481, 473])
    expect(tierAt(repeat(newcomer, row('callee', 'failed'), 2), 0)).toBe('standard')
    expect(tierAt(repeat(newcomer, row('callee', 'failed'), 3), 0)).toBe('probationary')
  })

  it('brings a peer whose every call fails below 300 within 30 calls', () => {
    expect(scoreAt(repeat(newcomer, row('callee', 'failed'), 30), 0)).toBeLessThan(300)
  })

  it('makes every fifth fault in a row an incident of 50 points', () => {
    const four = repeat(newcomer, row('callee', 'failed'), 4)
    const five = observeOutcome(four, row('callee', 'failed'), 0)
    expect(scoreAt(four, 0) - scoreAt(five, 0)).toBeGreaterThan(50)
    const forgiven = observeOutcome(observeOutcome(four, row('callee', 'declined'), 0), row('callee', 'failed'), 0)
    expect(scoreAt(four, 0) - scoreAt(forgiven, 0)).toBeLessThan(10)
  })

  it('does not interrupt a row of faults by what the peer does as a caller', () => {
    const four = repeat(newcomer, row('callee', 'failed'), 4)
    const five = observeOutcome(observeOutcome(four, row('caller', 'ok'), 0), row('callee', 'failed'), 0)
    expect(five.faultsInARow).toBe(5)
  })

  it('lets no burst of good calls buy a tier', () => {
    const ok = row('callee', 'ok')
    expect(scoreAt(repeat(newcomer, ok, 49), 0)).toBe(699)
    expect(scoreAt(repeat(newcomer, ok, 50), 0)).toBe(899)
    expect(scoreAt(repeat(newcomer, ok, 5000), 0)).toBe(899)
    expect(scoreAt(repeat(newcomer, ok, 499, dayMs), 499 * dayMs)).toBeLessThan(900)
    const earned = repeat(newcomer, ok, 501, dayMs / 500)
    expect(earnedCeilingOf(earned)).toBe(1000)
    expect(tierAt(earned, earned.atMs)).toBe('verified')
  })

  it('raises callers by what they do within their grant', () => {
    expect(scoreAt(observeOutcome(newcomer, row('caller', 'ok'), 0), 0)).toBeGreaterThan(500)
  })

  it('takes the idle time off before it adds what is new', () => {
    const earned = repeat(newcomer, row('callee', 'ok'), 501, dayMs / 500)
    const back = observeOutcome(earned, row('callee', 'ok'), earned.atMs + 365 * dayMs)
    expect(weighDimensions(back.dimensions)).toBeCloseTo(730, 0)
    expect(back.tier).toBe('trusted')
  })

  it('keeps scores between 0 and 1000, and good evidence never lowers nor bad evidence raises', () => {
    const arbitrarySteps = fc.array(
      fc.tuple(fc.constantFrom(...outcomeTable), fc.integer({ min: -1000, max: dayMs })),
      {
        maxLength: 40,
      },
    )
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), arbitrarySteps, (start, steps) => {
        let standing = createStanding(start, 0)
        for (const [of, elapsedMs] of steps) {
          const next = observeOutcome(standing, of, standing.atMs + elapsedMs)
          const before = scoreAt(standing, next.atMs)
          const after = scoreAt(next, next.atMs)
          const good = Object.values(of.values).every((value) => value === 1)
          expect(after).toBeGreaterThanOrEqual(good ? before : 0)
          expect(after).toBeLessThanOrEqual(good ? 1000 : before)
          standing = next
        }
      }),
      { seed: 5 },
    )
  })
})

describe('scoreAt', () => {
  it('only falls as time passes without evidence', () => {
    const earned = repeat(newcomer, row('callee', 'ok'), 501, dayMs / 500)
    const scores = [0, 1, 10, 1000].map((days) => scoreAt(earned, earned.atMs + days * dayMs))
    expect(scores).toEqual([999, 951, 700, 700])
  })
})
