import type { Capability } from './capability.ts'
import type { InstanceDid } from './did.ts'
import type { Usage } from './usage.ts'

/** What an envelope is. Only `hello` and `request` are answered, and only after their proof held. */
export const envelopeTypes = [
  'hello',
  'welcome',
  'ready',
  'request',
  'reply',
  'accepted',
  'progress',
  'completed',
  'cancel',
  'part',
  'event',
  'closed',
  'refusal',
  'outcome',
] as const

/** One of the envelope types. */
export type EnvelopeType = (typeof envelopeTypes)[number]

/**
 * How an answer says that a saga's command ended, beside its body: whoever has the evidence alone can tell. A lookup that was
 * answered says what it found.
 */
export const commandEndings = [
  'ok',
  'declined',
  'refused',
  'failed',
  'unknown',
  'found-ok',
  'found-declined',
  'found-tombstone',
  'found-absent',
] as const

/** One of the endings. */
export type CommandEnding = (typeof commandEndings)[number]

/** What a saga says about the step that a command belongs to; signed with the envelope. */
export interface SagaHeader {
  /** The saga's id, unique under the orchestrator's name. */
  readonly id: string
  readonly step: string
  /** 1 for the first try. */
  readonly attempt: number
  /** The orchestrator's fencing epoch; participants refuse a lower one than they saw. */
  readonly epoch: number
  /** Idempotency key of the step, equal for all attempts, for lookup and for undo. */
  readonly key: string
  /** `close` says that the saga is over: the callee may forget it, and does nothing more for it. */
  readonly phase: 'do' | 'undo' | 'lookup' | 'close'
  /**
   * Hash of the last entry of the saga's journal before this command, in base64url: so the signature is over all that led
   * here, too.
   */
  readonly journal?: string
  /** When participants may forget the saga, in milliseconds since the Unix epoch. */
  readonly expiresAtMs: number
}

/** A body that travels beside the envelope: what it must hash to, how long it is, and where it is kept. */
export interface BodyRef {
  /** SHA-256 of the body in base64url. */
  readonly hash: string
  readonly bytes: number
  /** A name that the body store of the receiver understands; never followed as an address. */
  readonly where: string
}

/**
 * Everything that is acted on, signed. Times are milliseconds since the Unix epoch. Fields that are not listed here are
 * ignored, unless `crit` names them (RFC 7515 §4.1.11).
 */
export interface EnvelopeHeader {
  readonly type: EnvelopeType
  /** 128 random bits in base64url. */
  readonly id: string
  readonly from: InstanceDid
  /** An instance, the topic of an event, or for an outcome the token of a mailbox. */
  readonly to: string
  /** The mesh that it belongs to; must equal the subject's. */
  readonly mesh: string
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  readonly contentType?: 'application/json'
  readonly session?: string
  readonly counter?: number
  readonly capability?: Capability
  /** Hash of the capability's contract. */
  readonly contract?: string
  /** What is left of the caller's time when this was sealed. */
  readonly remainingMs?: number
  /** Hash of the delegation chain; the links travel once per session. */
  readonly chain?: string
  readonly links?: readonly string[]
  /** Hash of the chain that the caller hands to the callee's name, to call on with; its links travel once per session. */
  readonly handed?: string
  readonly handedLinks?: readonly string[]
  /** In a request: signed answers of people to what the callee asked them. */
  readonly approvals?: readonly string[]
  /** W3C trace context: `00-<trace id>-<span id>-01`. */
  readonly traceparent?: string
  readonly onBehalfOf?: string
  /** A set that only grows down a chain. */
  readonly labels?: readonly string[]
  /** How many hops of the same work came before this one: 0 for the first. */
  readonly pathIndex?: number
  /** The envelope's own body is empty, and this one stands for it. */
  readonly bodyRef?: BodyRef
  /** In answers: what the work took. */
  readonly usage?: Usage
  readonly saga?: SagaHeader
  /** In a request: the mailbox of the caller's own name, which the outcome goes to as well. */
  readonly mailbox?: string
  /** In a part from the callee: its running number in the stream, from 1. */
  readonly part?: number
  /** In a request, and in a part from the caller: parts up to this number may be sent. */
  readonly credit?: number
  /** In accepted and progress: how long the callee may be silent before the outcome is unknown. */
  readonly leaseMs?: number
  /** Leaf hash (base64url) of the request that this answers. */
  readonly inReplyTo?: string
  /** In the answer to a saga's command: how it ended, as the body says. A `refusal` says it by its type. */
  readonly ended?: CommandEnding
  /** In hello, welcome and announcements: who the sender is. */
  readonly credential?: string
  readonly statement?: string
  /** In hello and welcome: fresh 128 bits, and what the sender speaks. */
  readonly nonce?: string
  readonly versions?: readonly number[]
  readonly suites?: readonly number[]
  /** In welcome and ready: the version and suite that both sides speak from here on. */
  readonly version?: number
  readonly suite?: number
  /** In hello a fresh X25519 public key, in welcome the encapsulated key (RFC 9180): 32 bytes in base64url. */
  readonly keyShare?: string
  /** The body is encrypted with the keys of the session. */
  readonly sealed?: true
  /** Names of fields that the receiver must understand. */
  readonly crit?: readonly string[]
}

/** A header with the opaque body that it speaks for. */
export interface Envelope {
  readonly header: EnvelopeHeader
  readonly body: Uint8Array
}
