import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decayScore } from './idle-decay.ts'

const hourMs = 3_600_000

describe('decayScore', () => {
  it('takes two points an hour down to 700 and nothing below', () => {
    expect(decayScore(900, hourMs)).toBe(898)
    expect(decayScore(900, 1000 * hourMs)).toBe(700)
    expect(decayScore(690, 1000 * hourMs)).toBe(690)
    expect(decayScore(900, -hourMs)).toBe(900)
  })

  it('gives the same in one step or in many', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1000, noNaN: true }),
        fc.array(fc.integer({ min: 0, max: 30 * hourMs }), { maxLength: 8 }),
        (score, parts) => {
          const whole = decayScore(
            score,
            parts.reduce((sum, part) => sum + part, 0),
          )
          expect(parts.reduce(decayScore, score)).toBeCloseTo(whole, 6)
        },
      ),
      { seed: 3 },
    )
  })
})
