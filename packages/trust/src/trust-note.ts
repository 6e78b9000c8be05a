import { isKey } from './evidence.ts'
import { isScore } from './trust-model.ts'

/** An operator's word that a peer has a score, until a time. */
export interface TrustPin {
  readonly kind: 'pin'
  readonly atMs: number
  readonly peer: string
  /** 0 to 1000. */
  readonly score: number
  readonly reason: string
  /** Milliseconds since the Unix epoch; a time that is over lifts the pin. */
  readonly untilMs: number
}

/** Another agent's signed word about a peer, as it was verified when it came. */
export interface Attestation {
  readonly kind: 'attestation'
  readonly rater: string
  readonly peer: string
  readonly score: number
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  /** What was signed, so that anybody can verify it again. */
  readonly token: string
}

/** What a peer was put apart for. */
export type QuarantineCause =
  | 'unlike-itself'
  | 'faults-in-a-row'
  | 'far-above-its-rate'
  | 'denied-too-often'
  | 'operator'

/** A peer that is refused for a while. */
export interface Quarantine {
  readonly kind: 'quarantine'
  readonly atMs: number
  readonly peer: string
  readonly cause: QuarantineCause
  /** What was measured, for a person. */
  readonly reason: string
  /** A time that is over lifts it. */
  readonly untilMs: number
}

/** What a ledger keeps beside evidence. */
export type TrustNote = TrustPin | Attestation | Quarantine

const causes: readonly unknown[] = [
  'unlike-itself',
  'faults-in-a-row',
  'far-above-its-rate',
  'denied-too-often',
  'operator',
] satisfies readonly QuarantineCause[]
const maxTokenLength = 8_192

/** Tells whether a value has the shape of a note. */
export function isTrustNote(value: unknown): value is TrustNote {
  if (typeof value !== 'object' || value === null) return false
  const note = value as Readonly<Partial<Record<string, unknown>>>
  if (!isKey(note['peer'])) return false
  if (note['kind'] === 'attestation') return isAttestation(note)
  const { atMs, reason, untilMs } = note
  if (!Number.isFinite(atMs) || !isKey(reason) || !Number.isFinite(untilMs)) return false
  return note['kind'] === 'pin'
    ? isScore(note['score'])
    : note['kind'] === 'quarantine' && causes.includes(note['cause'])
}

function isAttestation({
  rater,
  score,
  issuedAtMs,
  expiresAtMs,
  token,
}: Readonly<Partial<Record<string, unknown>>>): boolean {
  return (
    isKey(rater) &&
    isScore(score) &&
    Number.isFinite(issuedAtMs) &&
    Number.isFinite(expiresAtMs) &&
    typeof token === 'string' &&
    token.length > 0 &&
    token.length <= maxTokenLength
  )
}
