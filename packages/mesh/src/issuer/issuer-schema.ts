import type { Schema } from '../schema.ts'

/** What an instance sends for a credential. */
export interface IssuerRequest {
  readonly serves: readonly string[]
  readonly calls: readonly string[]
  /** The public NATS user key that the credential shall bind. */
  readonly nkey?: string
  /** What it speaks with now: an admission with its evidence, or the credential to renew with its statement. */
  readonly credential: string
  readonly statement: string
}

/** What an instance gets. */
export interface IssuerAnswer {
  readonly credential: string
  readonly statement: string
  readonly expiresAtMs: number
}

const maxPatterns = 256
const maxToken = 16_384
const patterns = { type: 'array', items: { type: 'string' }, maxItems: maxPatterns }
const token = { type: 'string', minLength: 1, maxLength: maxToken }

/** Checks what an instance sends. What the texts say is for the issuer to verify. */
export const issuerRequestSchema: Schema<IssuerRequest> = createSchema(
  {
    type: 'object',
    properties: { serves: patterns, calls: patterns, nkey: { type: 'string' }, credential: token, statement: token },
    required: ['serves', 'calls', 'credential', 'statement'],
  },
  (value) => {
    const { serves, calls, nkey, credential, statement } = value
    if (!isTextList(serves) || !isTextList(calls)) return undefined
    if (!isToken(credential) || !isToken(statement) || !(nkey === undefined || typeof nkey === 'string'))
      return undefined
    return { serves, calls, ...(nkey === undefined ? {} : { nkey }), credential, statement }
  },
)

/** Checks what an issuer answers. The instance verifies it under its own anchors. */
export const issuerAnswerSchema: Schema<IssuerAnswer> = createSchema(
  {
    type: 'object',
    properties: { credential: token, statement: token, expiresAtMs: { type: 'integer' } },
    required: ['credential', 'statement', 'expiresAtMs'],
  },
  (value) => {
    const { credential, statement, expiresAtMs } = value
    if (!isToken(credential) || !isToken(statement) || !Number.isSafeInteger(expiresAtMs)) return undefined
    return { credential, statement, expiresAtMs: expiresAtMs as number }
  },
)

/** Makes a schema of a JSON Schema and the check that says the same; the check keeps only what it knows. */
function createSchema<Value>(
  printed: Record<string, unknown>,
  read: (value: Partial<Record<string, unknown>>) => Value | undefined,
): Schema<Value> {
  return {
    '~standard': {
      version: 1,
      vendor: 'parley',
      validate(value) {
        const known = typeof value === 'object' && value !== null ? read(value) : undefined
        return known === undefined ? { issues: [{ message: 'is not of the form of the contract' }] } : { value: known }
      },
      jsonSchema: { input: () => structuredClone(printed), output: () => structuredClone(printed) },
    },
  }
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= maxPatterns && value.every((item) => typeof item === 'string')
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxToken
}
