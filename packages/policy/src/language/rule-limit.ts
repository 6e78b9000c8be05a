import type { Evaluate } from '../condition/native-value.ts'

/** A bucket that a rule asks to be paid from: one for each caller and capability. */
export interface RuleLimit {
  readonly max: number
  /** In how many milliseconds an empty bucket fills up; undefined for a bound on each single call. */
  readonly perMs: number | undefined
  /** What a call takes; undefined for 1. */
  readonly amount: { readonly text: string; readonly read: Evaluate } | undefined
}

const unitMs: Readonly<Record<string, number>> = {
  second: 1_000,
  s: 1_000,
  minute: 60_000,
  m: 60_000,
  hour: 3_600_000,
  h: 3_600_000,
  day: 86_400_000,
  d: 86_400_000,
}

const maxCount = 1_000_000_000

/** Reads `10/minute`; undefined if it is none. Units are second, minute, hour, day, or their first letters. */
export function parseRate(text: string): { readonly max: number; readonly perMs: number } | undefined {
  const [, count = '', unit = ''] = /^(\d{1,10}(?:\.\d{1,6})?)\s*\/\s*([a-z]+)$/.exec(text) ?? []
  const perMs = Object.hasOwn(unitMs, unit) ? unitMs[unit] : undefined
  const max = Number(count)
  return perMs !== undefined && max > 0 && max <= maxCount ? { max, perMs } : undefined
}

/** Reads a span such as `30s`, `15m`, `1h` or `2d` in milliseconds; undefined if it is none. */
export function parseSpan(text: string): number | undefined {
  const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const ms = Number(count) * (unitMs[unit] ?? 0)
  return ms > 0 ? ms : undefined
}
