import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from './duration.ts'

describe('parseDuration', () => {
  it('reads milliseconds, seconds, minutes, hours and days', () => {
    const read = ['500ms', '90s', '15m', '8h', '30d'].map(parseDuration)
    expect(read).toEqual([500, 90_000, 900_000, 28_800_000, 2_592_000_000])
  })

  it.each(['', '5', '0s', '-1m', '1.5h', '1w', '15 m', 'm', '99999999s', '36501d'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(/duration/)
  })
})

describe('formatDuration', () => {
  it.each(['500ms', '90s', '15m', '8h', '30d'])('writes %s as it is read', (text) => {
    expect(formatDuration(parseDuration(text))).toBe(text)
  })

  it('takes the largest unit', () => {
    expect([3_600_000, 172_800_000, 1_001].map(formatDuration)).toEqual(['1h', '2d', '1001ms'])
  })
})
