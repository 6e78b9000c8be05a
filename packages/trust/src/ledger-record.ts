import { MeshError } from '@parley/protocol'
import { isEvidence, isKey, type Evidence } from './evidence.ts'
import { trustModel } from './standing.ts'

/** An operator's word that a peer has a score, until a time. */
export interface TrustPin {
  readonly atMs: number
  readonly peer: string
  /** 0 to 1000. */
  readonly score: number
  readonly reason: string
  /** Milliseconds since the Unix epoch; a time that is over lifts the pin. */
  readonly untilMs: number
}

/** One thing that the ledger keeps. `start` stands in the first record of a peer: the fold needs no other source. */
export type LedgerRecord =
  | { readonly kind: 'evidence'; readonly start?: number; readonly evidence: Evidence }
  | { readonly kind: 'pin'; readonly start?: number; readonly pin: TrustPin }

/** Writes records as one journal entry: JSON with the version of the model that folds them. */
export function encodeRecords(records: readonly LedgerRecord[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ model: trustModel, records }))
}

/** Reads a journal entry. Throws `store.corrupt` for anything that `encodeRecords` does not write. */
export function decodeRecords(data: Uint8Array, position: number): readonly LedgerRecord[] {
  const entry = parse(data, position)
  if (typeof entry !== 'object' || entry === null) throw corrupt(position)
  const { model, records } = entry as Record<string, unknown>
  if (model !== trustModel || !Array.isArray(records) || !records.every(isLedgerRecord)) throw corrupt(position)
  return records
}

/** Tells whether a value has the shape of a pin. */
export function isPin(value: unknown): value is TrustPin {
  if (typeof value !== 'object' || value === null) return false
  const { atMs, peer, score, reason, untilMs } = value as Record<string, unknown>
  return Number.isFinite(atMs) && isKey(peer) && isScore(score) && isKey(reason) && Number.isFinite(untilMs)
}

/** Tells whether a value is a score: a number from 0 to 1000. */
export function isScore(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1000
}

function isLedgerRecord(value: unknown): value is LedgerRecord {
  if (typeof value !== 'object' || value === null) return false
  const { kind, start, evidence, pin } = value as Record<string, unknown>
  if (start !== undefined && !isScore(start)) return false
  return kind === 'evidence' ? isEvidence(evidence) : kind === 'pin' && isPin(pin)
}

function parse(data: Uint8Array, position: number): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data)) as unknown
  } catch (cause) {
    throw corrupt(position, cause)
  }
}

function corrupt(position: number, cause?: unknown): MeshError {
  return new MeshError('store.corrupt', `Entry ${String(position)} of the trust ledger is not one of ${trustModel}`, {
    details: { position },
    cause,
  })
}
