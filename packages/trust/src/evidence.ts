import { isCapability } from '@parley/protocol'
import { isDimension, type Dimension } from './dimensions.ts'

/** The part that the observed peer had in the call. */
export type EvidenceRole = 'callee' | 'caller'

/** The five things that a call can end in. */
export type EvidenceOutcome = 'ok' | 'declined' | 'refused' | 'failed' | 'unknown'

/** About whom an observation is, and what it rests on. */
export interface Subject {
  /** The peer's key, as `formatAgentId` writes it. Never taken from what an unproven sender claims. */
  readonly peer: string
  readonly capability: string
  /** The leaf hash of the envelope that it rests on: at most 128 characters, no space. One role of it counts once. */
  readonly envelope?: string
}

/** How a call ended. */
export interface OutcomeSeen {
  readonly role: EvidenceRole
  readonly outcome: EvidenceOutcome
  /** The code of a refusal or failure. */
  readonly code?: string
}

/** One dimension, measured. */
export interface Measured {
  readonly dimension: Dimension
  /** 0 (bad) to 1 (good). */
  readonly value: number
}

/** Something that cuts at once: 100 points × severity. */
export interface Incident {
  /** A word for what happened, for instance `data-leaked`. */
  readonly incident: string
  /** Above 0, at most 1. */
  readonly severity: number
}

/** One observation about a peer, made by this node. */
export type Observed = Subject & (OutcomeSeen | Measured | Incident)

const maxKeyLength = 512
const maxEnvelopeLength = 128

/**
 * Tells whether a value has the shape of an observation, whoever it comes from. `isKnown` saves looking at the names of a
 * peer and a capability again that have passed before.
 */
export function isObserved(value: unknown, isKnown: boolean): value is Observed {
  if (typeof value !== 'object' || value === null) return false
  const { peer, capability, envelope } = value as Partial<Record<string, unknown>>
  return (
    (isKnown || (isKey(peer) && typeof capability === 'string' && isCapability(capability))) &&
    (envelope === undefined || isEnvelope(envelope)) &&
    isSeen(value)
  )
}

/** Tells whether a value can be a peer's key, a reason, or a name: 1 to 512 well-formed characters without NUL. */
export function isKey(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= maxKeyLength &&
    value.isWellFormed() &&
    !value.includes('\0')
  )
}

/** Tells whether a value can name an envelope. */
export function isEnvelope(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxEnvelopeLength && !value.includes(' ')
}

function isSeen({
  role,
  outcome,
  code,
  dimension,
  value,
  incident,
  severity,
}: Partial<Record<string, unknown>>): boolean {
  if (role !== undefined) return isRole(role) && isOutcome(outcome) && (code === undefined || isWord(code))
  if (dimension !== undefined) return isDimension(dimension) && typeof value === 'number' && value >= 0 && value <= 1
  return isWord(incident) && typeof severity === 'number' && severity > 0 && severity <= 1
}

function isRole(value: unknown): value is EvidenceRole {
  return value === 'callee' || value === 'caller'
}

function isOutcome(value: unknown): value is EvidenceOutcome {
  return value === 'ok' || value === 'declined' || value === 'refused' || value === 'failed' || value === 'unknown'
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxEnvelopeLength && !/\s/.test(value)
}
