import { describe, expect, it } from 'vitest'
import { type Allowance, allowanceNarrows, readAllowance } from './allowance.ts'

const at = { owner: 'did:key:z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw', name: 'acme/pay' } as const
const parent: Allowance = { calls: 3, tokens: 900, money: { amount: '20.5', currency: 'EUR' }, at }

describe('readAllowance', () => {
  it('takes each part by itself, and none', () => {
    for (const allowance of [parent, { calls: 0 }, { tokens: 1 }, { money: { amount: '0', currency: 'EUR' } }])
      expect(readAllowance(allowance)).toEqual({ kind: 'allow', allowance })
    expect(readAllowance(undefined)).toEqual({ kind: 'allow' })
  })

  it.each([
    ['a list', [3]],
    ['null', null],
    ['nothing', {}],
    ['a payee alone', { at }],
    ['a payee that is no agent', { calls: 1, at: { owner: 'acme', name: 'acme/pay' } }],
    ['half a call', { calls: 0.5 }],
    ['less than no token', { tokens: -1 }],
    ['an amount that is no text', { money: { amount: 1, currency: 'EUR' } }],
  ])('refuses %s', (_, value) => {
    expect(readAllowance(value)).toMatchObject({ code: 'delegation.invalid' })
  })

  it('refuses a part that it does not know, which bounds something', () => {
    expect(readAllowance({ calls: 1, joules: 3 })).toMatchObject({ code: 'delegation.constraint-unknown' })
  })
})

describe('allowanceNarrows', () => {
  it.each([
    ['the same', {}, true],
    ['the same amount in other digits', { money: { amount: '20.50', currency: 'EUR' } }, true],
    ['less of each', { calls: 2, tokens: 0, money: { amount: '20.499999', currency: 'EUR' } }, true],
    ['more calls', { calls: 4 }, false],
    ['calls without a bound', { calls: undefined }, false],
    ['more tokens', { tokens: 901 }, false],
    ['tokens without a bound', { tokens: undefined }, false],
    ['more money', { money: { amount: '20.500001', currency: 'EUR' } }, false],
    ['money of another currency', { money: { amount: '20', currency: 'USD' } }, false],
    ['money without a bound', { money: undefined }, false],
    ['another payee', { at: { ...at, name: 'acme/other' } }, false],
    ['the payee of another owner', { at: { ...at, owner: 'did:web:acme.example' } }, false],
    ['any payee', { at: undefined }, false],
  ])('tells of %s', (_, change, isNarrower) => {
    expect(allowanceNarrows(parent, { ...parent, ...change } as Allowance)).toBe(isNarrower)
  })

  it('bounds nothing where nothing is bounded above, and never lets a bound go', () => {
    expect(allowanceNarrows(undefined, undefined)).toBe(true)
    expect(allowanceNarrows(undefined, parent)).toBe(true)
    expect(allowanceNarrows(parent, undefined)).toBe(false)
  })
})
