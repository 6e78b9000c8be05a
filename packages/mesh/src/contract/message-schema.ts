import type { Schema } from './schema.ts'

/** A field of a message: its JSON Schema, and the check that says the same. */
export interface MessageField {
  readonly printed: Readonly<Record<string, unknown>>
  readonly isValid: (value: unknown) => boolean
  readonly optional?: true
}

/** The fields that messages of the runtime's own contracts are made of. */
export const field: {
  /** Text of so many characters at most. */
  text(maxLength: number): MessageField
  /** A whole number from 1. */
  readonly position: MessageField
  /** Any JSON value. */
  readonly anything: MessageField
  /** A JSON object of any shape. */
  readonly object: MessageField
  /** A list of JSON objects. */
  readonly objects: MessageField
  /** A field that may be left out. */
  optional(field: MessageField): MessageField
} = {
  text: (maxLength) => ({
    printed: { type: 'string', maxLength },
    isValid: (value) => typeof value === 'string' && value.length <= maxLength,
  }),
  position: {
    printed: { type: 'integer', minimum: 1 },
    isValid: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  },
  anything: { printed: {}, isValid: () => true },
  object: { printed: { type: 'object' }, isValid: isObject },
  objects: {
    printed: { type: 'array', items: { type: 'object' } },
    isValid: (value) => Array.isArray(value) && value.every(isObject),
  },
  optional: (inner) => ({ ...inner, optional: true }),
}

/** Makes the schema of a message with these fields; others are dropped. */
export function messageSchema<Value>(fields: { readonly [Name in keyof Value]-?: MessageField }): Schema<Value> {
  const entries = Object.entries<MessageField>(fields)
  const printed = {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, inner]) => [name, inner.printed])),
    required: entries.filter(([, inner]) => !inner.optional).map(([name]) => name),
  }
  return {
    '~standard': {
      version: 1,
      vendor: 'parley',
      validate(value) {
        if (!isObject(value)) return { issues: [{ message: 'is no object' }] }
        const wrong = entries.filter(([name, inner]) =>
          value[name] === undefined ? !inner.optional : !inner.isValid(value[name]),
        )
        if (wrong.length > 0) return { issues: wrong.map(([name]) => ({ message: 'is not valid', path: [name] })) }
        const known = entries.filter(([name]) => value[name] !== undefined).map(([name]) => [name, value[name]])
        return { value: Object.fromEntries(known) as Value }
      },
      jsonSchema: { input: () => structuredClone(printed), output: () => structuredClone(printed) },
    },
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
