import type { EnvelopeHeader } from './envelope.ts'
import { limits } from './limits.ts'
import { isFlat, isHeaderField } from './parse-header.ts'

/** What a text in JSON has before whatever cannot stand for itself. */
const backslash = 0x5c

/**
 * Tells at a glance that header bytes, which `JSON.stringify` wrote from these fields and what the sender fills in by itself,
 * hold for `parseHeader`, if what their type needs is there. False says nothing yet: then that has to be asked.
 */
export function isSurelyReadable(fields: Partial<Record<keyof EnvelopeHeader, unknown>>, bytes: Uint8Array): boolean {
  if (bytes.length > limits.headerBytes || fields.crit !== undefined || bytes.includes(backslash)) return false
  for (const name in fields) {
    const value = fields[name as keyof EnvelopeHeader]
    if (value !== undefined && !(isData(value) && isFlat(value) && isHeaderField(name as keyof EnvelopeHeader, value)))
      return false
  }
  return true
}

/** Tells whether JSON is made of a value's own fields, as they are: what inherits some, or writes itself, is another text. */
function isData(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === Array.prototype) && !('toJSON' in value)
}
