import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { capabilityCovers, createCoverage, isCapability, isCapabilityPattern } from './capability.ts'

describe('isCapability', () => {
  it.each(['flights:reserve', 'flights:reserve:sfo', 'a:b', 'a1-b_c:d', '0:0'])('takes %s', (text) => {
    expect(isCapability(text)).toBe(true)
  })

  it.each([
    '',
    '*',
    'flights',
    'flights:',
    ':reserve',
    'flights:*',
    'flights:reserve:sfo:x',
    'Flights:reserve',
    'flights reserve',
    '-flights:reserve',
    'flights:reserve\n',
    'flights.x:reserve',
    `${'x'.repeat(64)}:y`,
  ])('refuses %j', (text) => {
    expect(isCapability(text)).toBe(false)
  })
})

describe('isCapabilityPattern', () => {
  it('takes capabilities and a whole service, never a bare star or one inside', () => {
    expect(['flights:reserve', 'flights:*'].filter(isCapabilityPattern)).toHaveLength(2)
    const wrong = ['*', '*:*', '*:reserve', 'flights:reserve:*', 'flights:res*', 'flights', 'flights:**']
    expect(wrong.filter(isCapabilityPattern)).toEqual([])
  })
})

describe('capabilityCovers', () => {
  it.each([
    // [granted, asked, answer]
    ['flights:reserve', 'flights:reserve', true],
    ['flights:*', 'flights:reserve', true],
    ['flights:*', 'flights:reserve:sfo', true],
    ['flights:*', 'flights:*', true],
    ['flights:reserve', 'flights:reserve:sfo', true],
    // T36: a narrow grant never satisfies a broad request.
    ['flights:reserve:sfo', 'flights:reserve', false],
    ['flights:reserve', 'flights:*', false],
    ['flights:reserve:sfo', 'flights:reserve:zrh', false],
    // Parts are whole words.
    ['flights:res', 'flights:reserve', false],
    ['flight:*', 'flights:reserve', false],
    ['flights:reserve', 'flights:reserve-all', false],
    ['flights:*', 'hotels:reserve', false],
    // T36: a bare star, or anything else that is no pattern, grants nothing.
    ['*', 'flights:reserve', false],
    ['*', '*', false],
    ['*:*', 'flights:reserve', false],
    ['', 'flights:reserve', false],
    ['flights', 'flights:reserve', false],
    ['flights:', 'flights:reserve', false],
    [':*', ':reserve', false],
    ['flights:reserve:*', 'flights:reserve:sfo', false],
    ['flights:*', 'flights:', false],
    ['flights:*', '*', false],
  ])('%j grants %j: %s', (granted, asked, answer) => {
    expect(capabilityCovers(granted, asked)).toBe(answer)
  })

  const part = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,5}$/)
  const capability = fc
    .tuple(part, part, fc.option(part))
    .map((parts) => parts.filter((item) => item !== null).join(':'))
  const pattern = fc.oneof(
    capability,
    part.map((service) => `${service}:*`),
  )

  it('grants to each pattern itself, and hands on: what covers a cover covers what it covers', () => {
    fc.assert(
      fc.property(pattern, pattern, pattern, (first, second, third) => {
        expect(capabilityCovers(first, first)).toBe(true)
        const handsOn = capabilityCovers(first, second) && capabilityCovers(second, third)
        expect(!handsOn || capabilityCovers(first, third)).toBe(true)
        expect(capabilityCovers(first, second) && capabilityCovers(second, first)).toBe(first === second)
      }),
    )
  })

  it('never grants another service', () => {
    fc.assert(
      fc.property(pattern, capability, (granted, asked) => {
        const isSameService = asked.split(':')[0] === granted.split(':')[0]
        expect(isSameService || !capabilityCovers(granted, asked)).toBe(true)
      }),
    )
  })
})

describe('createCoverage', () => {
  it('covers what one of its patterns covers, and nothing else', () => {
    const few = fc.constantFrom('a', 'b', '*', 'A', '')
    const text = fc.array(few, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(':'))
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), text, (patterns, asked) => {
        expect(createCoverage(patterns)(asked)).toBe(patterns.some((pattern) => capabilityCovers(pattern, asked)))
      }),
      { numRuns: 2_000 },
    )
  })
})
