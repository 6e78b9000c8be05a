/** How deep a body may be nested, and how many values it may hold, for Cedar to read it: as for rules of `parley/v1`. */
const maxBodyDepth = 16
const maxBodyValues = 4_096

/** What Cedar reads as a value. Lists become sets; there is no null. */
export type CedarValue =
  | boolean
  | number
  | string
  | { readonly __extn: { readonly fn: 'decimal'; readonly arg: string } }
  | { readonly __entity: { readonly type: string; readonly id: string } }
  | readonly CedarValue[]
  | { readonly [key: string]: CedarValue }

/** Keys by which Cedar's JSON says that something is no plain value: in a body they would let a caller forge entities. */
const reserved: ReadonlySet<string> = new Set(['__entity', '__extn', '__expr'])

/**
 * Converts the JSON of a body. Whole numbers become `Long`, others `decimal`; a key whose value is null is left out. Throws
 * a `RangeError` for what Cedar cannot hold: more than four decimal places, null in a list, reserved keys, too deep, too much.
 */
export function toCedarValue(body: unknown): CedarValue {
  let values = 0
  const convert = (value: unknown, depth: number): CedarValue => {
    if (++values > maxBodyValues) throw new RangeError(`the body holds more than ${String(maxBodyValues)} values`)
    if (typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number') return toCedarNumber(value)
    if (typeof value !== 'object' || value === null) throw new RangeError('the body holds a null where Cedar has none')
    if (depth >= maxBodyDepth) throw new RangeError(`the body is nested deeper than ${String(maxBodyDepth)}`)
    if (Array.isArray(value)) return value.map((item: unknown) => convert(item, depth + 1))
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => {
        if (reserved.has(key)) throw new RangeError(`the body has a key that Cedar reserves: ${key}`)
        return item === null || item === undefined ? [] : [[key, convert(item, depth + 1)]]
      }),
    )
  }
  return convert(body, 0)
}

/** Writes a fraction with at most four places as Cedar's `decimal`. */
function toCedarNumber(value: number): CedarValue {
  if (Number.isSafeInteger(value)) return value
  const text = value.toFixed(4)
  if (Number(text) !== value || Math.abs(value) > 900_000_000_000) {
    throw new RangeError('the body holds a number that is no Long and no decimal of Cedar')
  }
  return toDecimal(text)
}

/** Writes a decimal; Cedar knows up to four places. */
export function toDecimal(text: string): CedarValue {
  return { __extn: { fn: 'decimal', arg: text } }
}
