import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Condition, constraintsNarrow, decideArguments, mergeConstraints, readConstraints } from './constraints.ts'

describe('readConstraints', () => {
  it('takes the closed set of conditions, on nested arguments too', () => {
    const constraints = { to: { in: ['SFO', 1, true] }, amount: { min: 0, max: 500 }, 'card.country': { in: [] } }
    expect(readConstraints(constraints)).toEqual({ kind: 'allow', constraints })
    expect(readConstraints(undefined)).toEqual({ kind: 'allow', constraints: {} })
  })

  it('refuses a kind that it does not know, also beside one that it knows', () => {
    for (const condition of [{ matches: '.*' }, { max: 5, not: ['x'] }, { Max: 5 }])
      expect(readConstraints({ to: condition })).toMatchObject({ code: 'delegation.constraint-unknown' })
  })

  it.each([
    [[]],
    ['all'],
    [null],
    [{ '': { max: 1 } }],
    [{ 'a..b': { max: 1 } }],
    [{ 'a b': { max: 1 } }],
    [{ 'a.__proto__': { max: 1 } }],
    [{ to: null }],
    [{ to: ['SFO'] }],
    [{ to: { in: 'SFO' } }],
    [{ to: { in: [{}] } }],
    [{ to: { in: [null] } }],
    [{ to: { in: Array.from({ length: 65 }, (_, at) => at) } }],
    [{ to: { max: '5' } }],
    [Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`a${String(at)}`, { max: 1 }]))],
  ])('refuses %j as malformed', (value) => {
    expect(readConstraints(value)).toMatchObject({ code: 'delegation.invalid' })
  })
})

describe('decideArguments', () => {
  const decide = (constraints: Record<string, Condition>, input: unknown): string => {
    const verdict = decideArguments(constraints, input)
    return verdict.kind === 'deny' ? verdict.code : 'allow'
  }
  const violated = 'delegation.constraint-violated'

  it('allows what fulfils every condition', () => {
    expect(decide({ to: { in: ['SFO'] }, amount: { min: 1, max: 500 } }, { to: 'SFO', amount: 500 })).toBe('allow')
    expect(decide({ 'card.country': { in: ['DE'] } }, { card: { country: 'DE' } })).toBe('allow')
    expect(decide({}, null)).toBe('allow')
  })

  it.each([
    ['another choice', { to: { in: ['SFO'] } }, { to: 'LAX' }],
    ['another spelling', { to: { in: ['SFO'] } }, { to: 'SFO ' }],
    ['a list of choices', { to: { in: ['SFO'] } }, { to: ['SFO'] }],
    ['a number as a text', { amount: { max: 500 } }, { amount: '5' }],
    ['more than the most', { amount: { max: 500 } }, { amount: 500.01 }],
    ['less than the least', { amount: { min: 0 } }, { amount: -1 }],
    ['a missing argument', { amount: { max: 500 } }, {}],
    ['null', { amount: { max: 500 } }, { amount: null }],
    ['an inherited argument', { 'to.constructor': { in: ['x'] } }, { to: {} }],
    ['a path through a list', { 'to.0': { in: ['SFO'] } }, { to: ['SFO'] }],
    ['an input that is no object', { to: { in: ['SFO'] } }, 'SFO'],
    ['an empty set of choices', { to: { in: [] } }, { to: 'SFO' }],
  ] as const)('refuses %s', (_, constraints, input) => {
    expect(decide(constraints, input)).toBe(violated)
  })
})

describe('constraintsNarrow', () => {
  it.each([
    ['the same', { to: { in: ['SFO', 'LAX'] }, amount: { min: 1, max: 5 } }, true],
    ['fewer choices', { to: { in: ['LAX'] }, amount: { min: 1, max: 5 } }, true],
    ['no choice', { to: { in: [] }, amount: { min: 1, max: 5 } }, true],
    ['tighter bounds', { to: { in: ['SFO', 'LAX'] }, amount: { min: 2, max: 4 } }, true],
    ['one argument more', { to: { in: ['SFO'] }, amount: { min: 1, max: 5 }, seat: { in: ['1A'] } }, true],
    ['another choice', { to: { in: ['SFO', 'ZRH'] }, amount: { min: 1, max: 5 } }, false],
    ['a choice of another type', { to: { in: ['SFO', 1] }, amount: { min: 1, max: 5 } }, false],
    ['bounds in the place of choices', { to: { min: 1 }, amount: { min: 1, max: 5 } }, false],
    ['a lower least', { to: { in: ['SFO'] }, amount: { min: 0, max: 5 } }, false],
    ['no least', { to: { in: ['SFO'] }, amount: { max: 5 } }, false],
    ['a higher most', { to: { in: ['SFO'] }, amount: { min: 1, max: 6 } }, false],
    ['no most', { to: { in: ['SFO'] }, amount: { min: 1 } }, false],
    ['an argument less', { to: { in: ['SFO'] } }, false],
  ] as const)('tells of %s', (_, child, isNarrower) => {
    const parent = { to: { in: ['SFO', 'LAX'] }, amount: { min: 1, max: 5 } }
    expect(constraintsNarrow(parent, child)).toBe(isNarrower)
  })

  it('lets nothing be allowed under a narrower set that a wider one refuses', () => {
    const condition = fc.record(
      { in: fc.subarray([1, 2, 3]), min: fc.integer({ min: 0, max: 4 }), max: fc.integer({ min: 0, max: 4 }) },
      { requiredKeys: [] },
    )
    const allowed = (constraints: Readonly<Record<string, Condition>>): readonly number[] =>
      [0, 1, 2, 3, 4].filter((x) => decideArguments(constraints, { x }).kind === 'allow')
    fc.assert(
      fc.property(condition, condition, (above, own) => {
        const child = mergeConstraints({ x: above }, { x: own })
        const beyond = constraintsNarrow({ x: above }, child)
          ? allowed(child).filter((x) => !allowed({ x: above }).includes(x))
          : []
        expect(beyond).toEqual([])
      }),
      { seed: 3, numRuns: 1_000 },
    )
  })
})
