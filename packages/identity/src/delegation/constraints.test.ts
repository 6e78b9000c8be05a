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

  it('allows under a narrower set nothing that a wider one refuses', () => {
    const condition = fc.record(
      {
        in: fc.subarray([1, 2, 3, 'a', true]),
        min: fc.integer({ min: -3, max: 3 }),
        max: fc.integer({ min: -3, max: 3 }),
      },
      { requiredKeys: [] },
    )
    const constraints = fc.dictionary(fc.constantFrom('x', 'y', 'z.u'), condition, { maxKeys: 3 })
    const value = fc.constantFrom(1, 2, 3, -2, 'a', true, null)
    const input = fc.record({ x: value, y: value, z: fc.record({ u: value }) }, { requiredKeys: [] })
    fc.assert(
      fc.property(constraints, constraints, input, (parent, own, argument) => {
        const child = mergeConstraints(parent, own)
        fc.pre(constraintsNarrow(parent, child))
        return !(decide(child, argument) === 'allow' && decide(parent, argument) === violated)
      }),
    )
    expect(constraintsNarrow({ x: { max: 1 } }, { x: { max: 2 } })).toBe(false)
  })
})
