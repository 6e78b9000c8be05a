import { isInstanceDid } from '@parley/identity'
import type { InstanceDid } from '@parley/protocol'
import type { Schema } from '../contract/schema.ts'

/** What an instance sends for a credential. */
export interface IssuerRequest {
  readonly serves: readonly string[]
  readonly calls: readonly string[]
  /** The public NATS user key that the credential shall bind. */
  readonly nkey?: string
  /** What it speaks with now: an admission with its evidence, or the credential to renew with its statement. */
  readonly credential: string
  readonly statement: string
  /** Where the voucher of an admission asks in the stead of its instance: an admission that the instance itself signed. */
  readonly consent?: string
  /** Asks for the right to come back after a restart. */
  readonly comeBack?: ReturnAsked
}

/** What an instance wants to come back with. */
export interface ReturnAsked {
  /** With the first credential: the did:key of a key that it keeps. */
  readonly key?: string
  /** With a renewal: the grant that it was given, for a longer life. */
  readonly grant?: string
  /** The public NATS user key with which it will log in then. */
  readonly nkey?: string
}

/** What an instance gets. */
export interface IssuerAnswer {
  readonly credential: string
  readonly statement: string
  readonly expiresAtMs: number
  /** The NATS user token of the same life, where the issuer has an account of the broker. */
  readonly natsUser?: string
  readonly comeBack?: ReturnGranted
}

/** With what an instance may come back, once. */
export interface ReturnGranted {
  readonly grant: string
  /** When to ask for a longer life, in milliseconds since the Unix epoch. */
  readonly renewAtMs: number
  /** Where it will ask behind a fence, and the user token for it. */
  readonly login?: { readonly issuer: InstanceDid; readonly jwt: string }
}

const maxPatterns = 256
const maxToken = 16_384
const patterns = { type: 'array', items: { type: 'string' }, maxItems: maxPatterns }
const token = { type: 'string', minLength: 1, maxLength: maxToken }
const asked = { type: 'object', properties: { key: token, grant: token, nkey: token } }
const login = { type: 'object', properties: { issuer: token, jwt: token }, required: ['issuer', 'jwt'] }
const granted = {
  type: 'object',
  properties: { grant: token, renewAtMs: { type: 'integer' }, login },
  required: ['grant', 'renewAtMs'],
}

/** Checks what an instance sends. What the texts say is for the issuer to verify. */
export const issuerRequestSchema: Schema<IssuerRequest> = createSchema(
  {
    type: 'object',
    properties: {
      serves: patterns,
      calls: patterns,
      nkey: { type: 'string' },
      credential: token,
      statement: token,
      consent: token,
      comeBack: asked,
    },
    required: ['serves', 'calls', 'credential', 'statement'],
  },
  (value) => {
    const { serves, calls, nkey, credential, statement, consent, comeBack } = value
    if (!isTextList(serves) || !isTextList(calls)) return undefined
    if (!isToken(credential) || !isToken(statement) || !(nkey === undefined || typeof nkey === 'string'))
      return undefined
    if (!(consent === undefined || isToken(consent)) || !(comeBack === undefined || isAsked(comeBack))) return undefined
    return {
      serves,
      calls,
      ...(nkey === undefined ? {} : { nkey }),
      credential,
      statement,
      ...(consent === undefined ? {} : { consent }),
      ...(comeBack === undefined ? {} : { comeBack }),
    }
  },
)

/** Checks what an issuer answers. The instance verifies it under its own anchors. */
export const issuerAnswerSchema: Schema<IssuerAnswer> = createSchema(
  {
    type: 'object',
    properties: {
      credential: token,
      statement: token,
      expiresAtMs: { type: 'integer' },
      natsUser: token,
      comeBack: granted,
    },
    required: ['credential', 'statement', 'expiresAtMs'],
  },
  (value) => {
    const { credential, statement, expiresAtMs, natsUser, comeBack } = value
    if (!isToken(credential) || !isToken(statement) || !Number.isSafeInteger(expiresAtMs)) return undefined
    if (!(natsUser === undefined || isToken(natsUser)) || !(comeBack === undefined || isGranted(comeBack)))
      return undefined
    return {
      credential,
      statement,
      expiresAtMs: expiresAtMs as number,
      ...(natsUser === undefined ? {} : { natsUser }),
      ...(comeBack === undefined ? {} : { comeBack }),
    }
  },
)

function isAsked(value: unknown): value is ReturnAsked {
  if (typeof value !== 'object' || value === null) return false
  const { key, grant, nkey } = value as Partial<Record<keyof ReturnAsked, unknown>>
  return [key, grant, nkey].every((text) => text === undefined || isToken(text))
}

function isGranted(value: unknown): value is ReturnGranted {
  if (typeof value !== 'object' || value === null) return false
  const { grant, renewAtMs, login: at } = value as Partial<Record<keyof ReturnGranted, unknown>>
  if (!isToken(grant) || !Number.isSafeInteger(renewAtMs)) return false
  if (at === undefined) return true
  if (typeof at !== 'object' || at === null) return false
  const { issuer, jwt } = at as Partial<Record<string, unknown>>
  return typeof issuer === 'string' && isInstanceDid(issuer) && isToken(jwt)
}

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
