import { describe, expect, it } from 'vitest'
import { parseDuration } from './parse-duration.ts'

describe('parseDuration', () => {
  it('reads seconds, minutes, hours and days', () => {
    expect(['90s', '15m', '8h', '30d'].map(parseDuration)).toEqual([90_000, 900_000, 28_800_000, 2_592_000_000])
  })

  it.each(['', '5', '0s', '-1m', '1.5h', '1w', '15 m', 'm', '99999999s'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(/duration/)
  })
})
