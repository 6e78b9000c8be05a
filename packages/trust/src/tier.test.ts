import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lowerTier, tierAt, tierBars, tierIndexAfter, tierOf, type Tier } from './tier.ts'

const tiers = tierBars.map(({ tier }) => tier)

function tierAfter(previous: Tier, score: number): Tier {
  return tierAt(tierIndexAfter(tiers.indexOf(previous), score))
}

describe('tierOf', () => {
  it('begins each tier at its bar', () => {
    expect([1000, 900, 899, 700, 699, 500, 499, 300, 299, 0].map(tierOf)).toEqual([
      'verified',
      'verified',
      'trusted',
      'trusted',
      'standard',
      'standard',
      'probationary',
      'probationary',
      'untrusted',
      'untrusted',
    ])
  })
})

describe('tierIndexAfter', () => {
  it('keeps a tier until 20 points below its bar and enters one at its bar', () => {
    expect(tierAfter('standard', 480)).toBe('standard')
    expect(tierAfter('standard', 479)).toBe('probationary')
    expect(tierAfter('probationary', 499)).toBe('probationary')
    expect(tierAfter('probationary', 500)).toBe('standard')
  })

  it('keeps the highest tier that a fall does not leave', () => {
    expect(tierAfter('verified', 490)).toBe('standard')
    expect(tierAfter('verified', 475)).toBe('probationary')
    expect(tierAfter('verified', 100)).toBe('untrusted')
  })

  it('is never below the plain tier and never more than the slack above it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...tiers), fc.integer({ min: 0, max: 1000 }), (previous, score) => {
        const rank = tiers.indexOf(tierAfter(previous, score))
        expect(rank).toBeLessThanOrEqual(tiers.indexOf(tierOf(score)))
        expect(rank).toBeGreaterThanOrEqual(tiers.indexOf(tierOf(score + 20)))
      }),
      { seed: 11 },
    )
  })
})

describe('lowerTier', () => {
  it('returns the lower of two', () => {
    expect(lowerTier('trusted', 'probationary')).toBe('probationary')
    expect(lowerTier('untrusted', 'verified')).toBe('untrusted')
    expect(lowerTier('standard', 'standard')).toBe('standard')
  })
})
