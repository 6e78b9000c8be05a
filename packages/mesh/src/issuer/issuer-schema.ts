import { isInstanceDid } from '@parley/identity'
import type { InstanceDid } from '@parley/protocol'
import { field, messageSchema, type MessageField } from '../contract/message-schema.ts'
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

const patterns = field.texts(256)
const token = field.token(16_384)
const instance: MessageField = {
  printed: token.printed,
  isValid: (value) => token.isValid(value) && isInstanceDid(String(value)),
}

/** Checks what an instance sends. What the texts say is for the issuer to verify. */
export const issuerRequestSchema: Schema<IssuerRequest> = messageSchema<IssuerRequest>({
  serves: patterns,
  calls: patterns,
  nkey: field.optional({ printed: { type: 'string' }, isValid: (value) => typeof value === 'string' }),
  credential: token,
  statement: token,
  consent: field.optional(token),
  comeBack: field.optional(
    field.message<ReturnAsked>({
      key: field.optional(token),
      grant: field.optional(token),
      nkey: field.optional(token),
    }),
  ),
})

/** Checks what an issuer answers. The instance verifies it under its own anchors. */
export const issuerAnswerSchema: Schema<IssuerAnswer> = messageSchema<IssuerAnswer>({
  credential: token,
  statement: token,
  expiresAtMs: field.integer,
  natsUser: field.optional(token),
  comeBack: field.optional(
    field.message<ReturnGranted>({
      grant: token,
      renewAtMs: field.integer,
      login: field.optional(field.message<NonNullable<ReturnGranted['login']>>({ issuer: instance, jwt: token })),
    }),
  ),
})
