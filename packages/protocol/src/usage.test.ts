import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatAmount, isUsage, parseAmount } from './usage.ts'

describe('parseAmount', () => {
  it('reads back what formatAmount writes, to the micro-unit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }), (micros) => {
        expect(parseAmount(formatAmount(micros))).toBe(micros)
      }),
    )
  })

  it('reads decimals, exactly', () => {
    expect([parseAmount('0.1'), parseAmount('12.50'), parseAmount('7')]).toEqual([100_000n, 12_500_000n, 7_000_000n])
  })

  it.each(['', '-1', '1e3', '01', '1.', '.5', '1.0000001', '1 ', 'NaN', '9'.repeat(13)])('refuses %j', (amount) => {
    expect(parseAmount(amount)).toBeUndefined()
  })
})

describe('isUsage', () => {
  it('takes each part, and none', () => {
    const money = { amount: '1.5', currency: 'EUR' }
    for (const usage of [{}, { calls: 1 }, { tokens: 0 }, { money }, { seconds: 1 }, { calls: 2, tokens: 3, money }])
      expect(isUsage(usage)).toBe(true)
  })

  it.each([
    [undefined],
    [[]],
    [{ calls: -1 }],
    [{ calls: 1.5 }],
    [{ tokens: '3' }],
    [{ money: 3 }],
    [{ money: { amount: 'x', currency: 'EUR' } }],
    [{ money: { amount: 1, currency: 'eur' } }],
    [{ money: { amount: 1, currency: 'EUR' } }],
    [{ money: { amount: '1', currency: 'EURO' } }],
    [{ seconds: -1 }],
    [{ seconds: 0.5 }],
    [{ seconds: Number.POSITIVE_INFINITY }],
  ])('refuses %j', (value) => {
    expect(isUsage(value)).toBe(false)
  })
})
