import { InvalidArgumentError } from 'commander'

const units: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

/** A hundred years: what lasts longer is a mistake, and no date. */
const maxMs = 36_500 * 86_400_000

/** Reads a duration such as `500ms`, `90s`, `15m`, `8h` or `30d` as milliseconds. Throws commander's error, which names the option. */
export function parseDuration(text: string): number {
  const [, count = '', unit = ''] = /^([1-9]\d{0,6})(ms|[smhd])$/.exec(text) ?? []
  const durationMs = Number(count) * (units[unit] ?? 0)
  if (durationMs <= 0 || durationMs > maxMs)
    throw new InvalidArgumentError('It must be a duration such as 500ms, 90s, 15m, 8h or 30d, at most 36500d.')
  return durationMs
}

/** Writes milliseconds in the largest unit that they are a whole number of. */
export function formatDuration(durationMs: number): string {
  const [name, unitMs] = Object.entries(units).find(([, each]) => durationMs % each === 0) ?? ['ms', 1]
  return `${String(durationMs / unitMs)}${name}`
}
