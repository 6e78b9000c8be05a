import type { Capability, ErrorCode, Risk } from '@parley/protocol'
import type { Schema } from './schema.ts'

/** What a contract's author writes for one event. */
export interface EventDefinition {
  readonly payload: Schema
  /** How much trust its listeners ask of who emits it; default `read`. */
  readonly risk?: Risk
}

/** One event of a contract: what those who emit it and those who listen share about it. */
export interface ContractEvent<Payload = unknown> {
  /** `service:event`: what credentials grant and policies name. Emitting takes the right to serve it, listening to call it. */
  readonly capability: Capability
  /** The recipient of its envelopes. */
  readonly topic: string
  readonly payload: Schema
  readonly risk: Risk
  /** base64url SHA-256 over name, schema and risk: both sides must agree on it. */
  readonly hash: string
  /** Carries the type; never present at run time. */
  readonly types?: { readonly payload: Payload }
}

/** Formats the topic of an event: its capability with `E` for the colon, which no capability holds itself. */
export function formatEventTopic(capability: Capability): string {
  return capability.replaceAll(':', 'E')
}

/** How one event differs from the defaults. */
export interface EmitOptions {
  /** The human or tenant for whom this is told. */
  readonly onBehalfOf?: string
  /** Labels of the data. */
  readonly labels?: readonly string[]
  /** W3C trace id (32 hex digits) to continue; default a new one. */
  readonly trace?: string
}

/** What became of an event at its sender. Who heard it, nobody knows: events are not answered. */
export type EmitOutcome =
  | { readonly kind: 'emitted'; readonly id: string; readonly trace: string; readonly record?: number }
  | {
      readonly kind: 'refused'
      readonly id: string
      readonly trace: string
      readonly code: ErrorCode
      readonly reason: string
      readonly retryAfterMs?: number
      readonly record?: number
    }
