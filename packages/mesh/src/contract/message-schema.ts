import type { Schema } from './schema.ts'

/** A field of a message: its JSON Schema, and the check that says the same. */
export interface MessageField {
  readonly printed: Readonly<Record<string, unknown>>
  readonly isValid: (value: unknown) => boolean
  readonly optional?: true
}

/** What each property of a message has to be. */
export type MessageFields<Value> = { readonly [Name in keyof Value]-?: MessageField }

/** The fields that messages of the runtime's own contracts are made of. */
export const field: {
  /** Text of so many characters at most. */
  text(maxLength: number): MessageField
  /** Text of so many characters at most, and one at least. */
  token(maxLength: number): MessageField
  /** A list of so many texts at most. */
  texts(maxItems: number): MessageField
  /** A whole number. */
  readonly integer: MessageField
  /** A whole number from 1. */
  readonly position: MessageField
  /** Any JSON value. */
  readonly anything: MessageField
  /** A JSON object of any shape. */
  readonly object: MessageField
  /** A list of JSON objects. */
  readonly objects: MessageField
  /** An object with these fields. */
  message<Value>(fields: MessageFields<Value>): MessageField
  /** A field that may be left out. */
  optional(field: MessageField): MessageField
} = {
  text: (maxLength) => ({
    printed: { type: 'string', maxLength },
    isValid: (value) => typeof value === 'string' && value.length <= maxLength,
  }),
  token: (maxLength) => ({
    printed: { type: 'string', minLength: 1, maxLength },
    isValid: (value) => typeof value === 'string' && value.length > 0 && value.length <= maxLength,
  }),
  texts: (maxItems) => ({
    printed: { type: 'array', items: { type: 'string' }, maxItems },
    isValid: (value) =>
      Array.isArray(value) && value.length <= maxItems && value.every((text) => typeof text === 'string'),
  }),
  integer: { printed: { type: 'integer' }, isValid: Number.isSafeInteger },
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
  message: (fields) => {
    const { required, ...printed } = printFields(fields)
    return {
      printed: required.length === 0 ? printed : { ...printed, required },
      isValid: (value) => isObject(value) && findWrong(fields, value).length === 0,
    }
  },
  optional: (inner) => ({ ...inner, optional: true }),
}

/** Makes the schema of a message with these fields; others are dropped. */
export function messageSchema<Value>(fields: MessageFields<Value>): Schema<Value> {
  const names = Object.keys(fields)
  const printed = printFields(fields)
  return {
    '~standard': {
      version: 1,
      vendor: 'parley',
      validate(value) {
        if (!isObject(value)) return { issues: [{ message: 'is no object' }] }
        const wrong = findWrong(fields, value)
        if (wrong.length > 0) return { issues: wrong.map((name) => ({ message: 'is not valid', path: [name] })) }
        const known = names.filter((name) => value[name] !== undefined).map((name) => [name, value[name]])
        return { value: Object.fromEntries(known) as Value }
      },
      jsonSchema: { input: () => structuredClone(printed), output: () => structuredClone(printed) },
    },
  }
}

function printFields<Value>(fields: MessageFields<Value>): {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, unknown>>
  readonly required: readonly string[]
} {
  const entries = Object.entries<MessageField>(fields)
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, inner]) => [name, inner.printed])),
    required: entries.filter(([, inner]) => !inner.optional).map(([name]) => name),
  }
}

/** Names the fields of a message that are not what they have to be. */
function findWrong<Value>(fields: MessageFields<Value>, value: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries<MessageField>(fields)
    .filter(([name, inner]) => (value[name] === undefined ? !inner.optional : !inner.isValid(value[name])))
    .map(([name]) => name)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
