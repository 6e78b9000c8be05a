/** A rate such as `10/minute`. */
export interface RateLimit {
  /** How many calls, at least 1. */
  readonly max: number
  readonly perMs: number
}

const periods: ReadonlyMap<string, number> = new Map([
  ['second', 1_000],
  ['minute', 60_000],
  ['hour', 3_600_000],
  ['day', 86_400_000],
])

const pattern = /^\s*(\d{1,9})\s*\/\s*([A-Za-z]+)\s*$/

/** Parses `<count>/<second|minute|hour|day>`. Returns what is wrong with it as a text. */
export function parseRateLimit(text: string): RateLimit | string {
  const [, count = '', period = ''] = pattern.exec(text) ?? []
  const perMs = periods.get(period.toLowerCase())
  if (count === '' || perMs === undefined) {
    return `the limit '${text}' is not <count>/<period>, where a period is one of ${[...periods.keys()].join(', ')}`
  }
  const max = Number(count)
  return max === 0 ? 'a limit of 0 never lets anything pass: write the action deny' : { max, perMs }
}
