import { systemHash } from '@parley/ports'

/**
 * Finds the path of the first value that JSON would lose or change (a function, a class instance, a Map, NaN, a bigint);
 * undefined when `value` survives. Object properties that are undefined are left out by JSON and are fine.
 */
export function findJsonProblem(value: unknown, path = 'value'): string | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${path} is ${value}`
  if (typeof value !== 'object') return `${path} is of the type ${typeof value}`
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) {
      const problem = findJsonProblem(item, `${path}[${at}]`)
      if (problem) return problem
    }
    return undefined
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return `${path} is not a plain object`
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue
    const problem = findJsonProblem(item, `${path}.${key}`)
    if (problem) return problem
  }
  return undefined
}

/** Returns the value as JSON brings it back: a copy of its own, without undefined properties. Of values without a JSON problem. */
export function copyJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? null : copyJson(item)))
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue
    // An assignment to this name would change what the copy inherits from.
    if (key === '__proto__') Object.defineProperty(copy, key, { ...plainProperty, value: copyJson(item) })
    else copy[key] = copyJson(item)
  }
  return copy
}

const plainProperty = { enumerable: true, configurable: true, writable: true }

/** Tells whether two JSON values are the same, whatever the order of their keys. */
export function isSameJson(left: unknown, right: unknown): boolean {
  return JSON.stringify(sortKeys(left)) === JSON.stringify(sortKeys(right))
}

/** Returns the base64url SHA-256 of a JSON value, the same whatever the order of its keys. */
export function digestJson(value: unknown): string {
  const text = JSON.stringify(sortKeys(value)) as string | undefined
  return Buffer.from(systemHash(new TextEncoder().encode(text ?? ''))).toString('base64url')
}

/** Orders the keys of all objects in a JSON value. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1))
  return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item)]))
}
