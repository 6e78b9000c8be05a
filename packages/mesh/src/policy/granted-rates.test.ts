import type { DocumentLimit } from '@parley/policy'
import { describe, expect, it } from 'vitest'
import { createGrantedRates } from './granted-rates.ts'

const limit = (max: number, more: Partial<DocumentLimit> = {}): DocumentLimit => ({
  document: 'house',
  rule: 'paced',
  max,
  perMs: 60_000,
  take: 1,
  ...more,
})

describe('createGrantedRates', () => {
  it('adds up what the tightest limit of each capability lets pass in its busiest minute', () => {
    const rates = createGrantedRates()
    expect(rates.perMinute('did:o acme/desk')).toBeUndefined()
    rates.note('did:o acme/desk', 'shop:buy', [limit(100), limit(10, { perMs: 1_000 }), limit(5, { isAmount: true })])
    expect(rates.perMinute('did:o acme/desk')).toBe(200)
    rates.note('did:o acme/desk', 'shop:look', [limit(10, { perMs: 1_000 })])
    expect(rates.perMinute('did:o acme/desk')).toBe(200 + 610)
    rates.note('did:o acme/desk', 'shop:buy', [limit(50)])
    expect(rates.perMinute('did:o acme/desk')).toBe(100 + 610)
    rates.note('did:o acme/other', 'shop:buy', [limit(1, { isAmount: true })])
    expect(rates.perMinute('did:o acme/other')).toBeUndefined()
  })

  it('tells no rate of who may do something without a limit, since its past alone can', () => {
    const rates = createGrantedRates()
    rates.note('a', 'shop:look', [])
    rates.note('a', 'shop:burn', [limit(10)])
    expect(rates.perMinute('a')).toBe(20)
    rates.note('a', 'shop:look', [])
    expect(rates.perMinute('a')).toBeUndefined()
  })

  it('counts a bucket that capabilities share once', () => {
    const rates = createGrantedRates()
    for (const action of ['shop:buy', 'shop:look']) rates.note('a', action, [limit(30, { isShared: true })])
    expect(rates.perMinute('a')).toBe(60)
  })

  it('I1 forgets those of whom nothing was decided for longest', () => {
    const rates = createGrantedRates()
    for (let agent = 0; agent <= 10_000; agent++) rates.note(String(agent), 'shop:buy', [limit(1)])
    expect([rates.perMinute('0'), rates.perMinute('1'), rates.perMinute('10000')]).toEqual([undefined, 2, 2])
  })
})
