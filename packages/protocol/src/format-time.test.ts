import { expect, it } from 'vitest'
import { formatTime } from './format-time.ts'

it('formats a moment in UTC, and what lies beyond every date as a number', () => {
  expect(formatTime(1_767_268_800_000)).toBe('2026-01-01T12:00:00.000Z')
  expect(formatTime(Number.MAX_SAFE_INTEGER)).toBe('9007199254740991 ms')
  expect(formatTime(Number.NaN)).toBe('NaN ms')
})
