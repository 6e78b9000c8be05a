import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decayScore, defaultIdleDecay } from './idle-decay.ts'

const hourMs = 3_600_000

describe('decayScore', () => {
  const decay = (score: number, elapsedMs: number): number => decayScore(defaultIdleDecay, score, elapsedMs)

  it('takes two points an hour down to 700 and nothing below', () => {
    expect(decay(900, hourMs)).toBe(898)
    expect(decay(900, 1000 * hourMs)).toBe(700)
    expect(decay(690, 1000 * hourMs)).toBe(690)
    expect(decay(900, -hourMs)).toBe(900)
    expect(decayScore({ pointsPerHour: 10, floor: 500 }, 900, 30 * hourMs)).toBe(600)
  })

  it('gives the same in one step or in many', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1000, noNaN: true }),
        fc.array(fc.integer({ min: 0, max: 30 * hourMs }), { maxLength: 8 }),
        (score, parts) => {
          const whole = decay(
            score,
            parts.reduce((sum, part) => sum + part, 0),
          )
          expect(parts.reduce((rest, part) => decay(rest, part), score)).toBeCloseTo(whole, 6)
        },
      ),
      { seed: 3 },
    )
  })
})
