import type { Schema } from '@parley/mesh'

/** A property of a message: its JSON Schema, and the check that says the same. */
export interface Property {
  readonly printed: Readonly<Record<string, unknown>>
  readonly isValid: (value: unknown) => boolean
  readonly optional?: true
}

/** Text of so many characters at most. */
export function text(maxLength: number): Property {
  return {
    printed: { type: 'string', maxLength },
    isValid: (value) => typeof value === 'string' && value.length <= maxLength,
  }
}

/** A whole number from 1. */
export const position: Property = {
  printed: { type: 'integer', minimum: 1 },
  isValid: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
}

/** Any JSON value. */
export const anything: Property = { printed: {}, isValid: () => true }

/** A JSON object of any shape. */
export const object: Property = {
  printed: { type: 'object' },
  isValid: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
}

/** A list of JSON objects. */
export const objects: Property = {
  printed: { type: 'array', items: { type: 'object' } },
  isValid: (value) => Array.isArray(value) && value.every(object.isValid),
}

/** Makes a property that may be left out. */
export function optional(property: Property): Property {
  return { ...property, optional: true }
}

/** Makes the schema of a message with these properties; others are dropped. */
export function messageSchema<Value>(properties: { readonly [Name in keyof Value]-?: Property }): Schema<Value> {
  const entries = Object.entries<Property>(properties)
  const printed = {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, property]) => [name, property.printed])),
    required: entries.filter(([, property]) => !property.optional).map(([name]) => name),
  }
  return {
    '~standard': {
      version: 1,
      vendor: 'parley',
      validate(value) {
        if (!object.isValid(value)) return { issues: [{ message: 'is no object' }] }
        const given = value as Readonly<Record<string, unknown>>
        const wrong = entries.filter(([name, property]) =>
          given[name] === undefined ? !property.optional : !property.isValid(given[name]),
        )
        if (wrong.length > 0) return { issues: wrong.map(([name]) => ({ message: 'is not valid', path: [name] })) }
        const known = entries.filter(([name]) => given[name] !== undefined).map(([name]) => [name, given[name]])
        return { value: Object.fromEntries(known) as Value }
      },
      jsonSchema: { input: () => structuredClone(printed), output: () => structuredClone(printed) },
    },
  }
}
