/** How deep a body may be nested for a rule to read it. */
export const maxBodyDepth = 16

/** How many values a body may hold for a rule to read it: what bounds the time of a condition that walks it. */
export const maxBodyValues = 4_096

/**
 * Converts parsed JSON into what CEL reads. Objects become maps, so that keys such as `constructor` or `__proto__` are
 * data and nothing else. Throws a `RangeError` beyond `maxBodyDepth` or `maxBodyValues`: such a body is not judged.
 */
export function toBodyValue(body: unknown): unknown {
  let values = 0
  const convert = (value: unknown, depth: number): unknown => {
    if (++values > maxBodyValues) throw new RangeError(`the body holds more than ${String(maxBodyValues)} values`)
    if (typeof value !== 'object' || value === null) return value
    if (depth >= maxBodyDepth) throw new RangeError(`the body is nested deeper than ${String(maxBodyDepth)}`)
    if (Array.isArray(value)) return value.map((item: unknown) => convert(item, depth + 1))
    return new Map(Object.entries(value).map(([key, item]) => [key, convert(item, depth + 1)]))
  }
  return convert(body, 0)
}
