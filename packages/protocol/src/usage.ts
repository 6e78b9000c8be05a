/** An exact decimal amount of one currency. */
export interface Money {
  /** Decimal digits with at most 6 after the point, for instance `12.50`: as text, since a float holds no money. */
  readonly amount: string
  /** Three letters of ISO 4217, for instance `EUR`. */
  readonly currency: string
}

/** What serving a request used up, as the callee says and signs. What is absent is not told. */
export interface Usage {
  /** Calls that count, this one included. */
  readonly calls?: number
  /** Tokens of a language model. */
  readonly tokens?: number
  readonly money?: Money
  /** Whole seconds of work, rounded up: headers hold no fractions. */
  readonly seconds?: number
}

/** Micro-units of a currency that make one unit. */
const microsPerUnit = 1_000_000n
const amountPattern = /^(?<units>0|[1-9][0-9]{0,11})(?:\.(?<fraction>[0-9]{1,6}))?$/
const currencyPattern = /^[A-Z]{3}$/

/** Reads an amount as whole micro-units, exactly; undefined unless it is a decimal from 0 to below 10^12. */
export function parseAmount(amount: string): bigint | undefined {
  const groups = amountPattern.exec(amount)?.groups
  if (!groups) return undefined
  const { units = '0', fraction = '' } = groups
  return BigInt(units) * microsPerUnit + BigInt(fraction.padEnd(6, '0'))
}

/** Writes micro-units as a decimal without superfluous zeros. */
export function formatAmount(micros: bigint): string {
  const [sign, size] = micros < 0n ? ['-', -micros] : ['', micros]
  const fraction = (size % microsPerUnit).toString().padStart(6, '0').replace(/0+$/, '')
  return `${sign}${(size / microsPerUnit).toString()}${fraction === '' ? '' : `.${fraction}`}`
}

/** Tells whether a value is an exact amount of a currency. */
export function isMoney(value: unknown): value is Money {
  if (typeof value !== 'object' || value === null) return false
  const { amount, currency } = value as Partial<Record<keyof Money, unknown>>
  return (
    typeof amount === 'string' &&
    parseAmount(amount) !== undefined &&
    typeof currency === 'string' &&
    currencyPattern.test(currency)
  )
}

/** Tells whether a value is a usage. Members that are not listed are ignored. */
export function isUsage(value: unknown): value is Usage {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { calls, tokens, money, seconds } = value as Partial<Record<keyof Usage, unknown>>
  return (
    (calls === undefined || isCount(calls)) &&
    (tokens === undefined || isCount(tokens)) &&
    (money === undefined || isMoney(money)) &&
    (seconds === undefined || isCount(seconds))
  )
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
