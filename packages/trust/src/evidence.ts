import { isCapability } from '@parley/protocol'

/** The part that the observed peer had in the call. */
export type EvidenceRole = 'callee' | 'caller'

/** The five things that a call can end in. */
export type EvidenceOutcome = 'ok' | 'declined' | 'refused' | 'failed' | 'unknown'

/** One observation about a peer, made by this node at the end of a hop. */
export interface Evidence {
  /** Unique: the same id is folded once. */
  readonly id: string
  /** When it was observed, in milliseconds since the Unix epoch, by this node's clock. */
  readonly atMs: number
  /** The peer's key, as `formatAgentId` writes it. Never taken from what an unproven sender claims. */
  readonly peer: string
  readonly capability: string
  readonly role: EvidenceRole
  readonly outcome: EvidenceOutcome
  /** The code of a refusal or failure. */
  readonly code?: string
  /** The id of the envelope that it rests on. */
  readonly envelope?: string
}

/** How far ahead of the clock evidence may be. */
export const maxAheadMs = 60_000

/** How far behind the clock evidence may be: it is folded in the order of arrival. */
export const maxBehindMs = 300_000

const maxKeyLength = 512
const roles: readonly string[] = ['callee', 'caller'] satisfies readonly EvidenceRole[]
const outcomes: readonly string[] = [
  'ok',
  'declined',
  'refused',
  'failed',
  'unknown',
] satisfies readonly EvidenceOutcome[]

/** Tells whether a value has the shape of evidence, whoever it comes from. */
export function isEvidence(value: unknown): value is Evidence {
  if (typeof value !== 'object' || value === null) return false
  const { id, atMs, peer, capability, role, outcome, code, envelope } = value as Record<string, unknown>
  return (
    isKey(id) &&
    Number.isFinite(atMs) &&
    isKey(peer) &&
    typeof capability === 'string' &&
    isCapability(capability) &&
    typeof role === 'string' &&
    roles.includes(role) &&
    typeof outcome === 'string' &&
    outcomes.includes(outcome) &&
    (code === undefined || isKey(code)) &&
    (envelope === undefined || isKey(envelope))
  )
}

/** Tells whether a value can be an id or a peer's key: 1 to 512 characters. */
export function isKey(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxKeyLength
}
