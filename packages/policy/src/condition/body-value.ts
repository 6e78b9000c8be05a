/**
 * Converts parsed JSON into what the CEL library reads. Objects become maps, so that keys such as `constructor` or
 * `__proto__` are data and nothing else.
 */
export function toBodyValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(toBodyValue)
  return new Map(Object.entries(value).map(([key, item]) => [key, toBodyValue(item)]))
}
