import type { Hash } from '@parley/ports'
import { encodeBase64url, isCapability, MeshError, signatureBytes } from '@parley/protocol'
import { isEnvelope, isKey } from './evidence.ts'
import { parseJson } from './parse-json.ts'
import { isTrustNote, type TrustNote } from './trust-note.ts'
import { parseSight, type Sight } from './sight.ts'
import { isScore, trustModelName } from './trust-model.ts'

/** What a rater signs: evidence that it gathered in one run, in the order of its own count. */
export interface EvidenceBatch {
  readonly rater: string
  /** The key that signs: the rater's instance in this run. */
  readonly did: string
  /** Hash of the weights and tables that the rater folds by. */
  readonly model: string
  /** The count of the first piece; further ones follow without gaps. */
  readonly first: number
  /** When the batch was made; nothing in it is newer. */
  readonly atMs: number
  /** Hash of the rater's batch before; empty for its first one. */
  readonly previous: string
  readonly pieces: EvidencePieces
  /** What is not evidence about a hop: pins, attestations, quarantines. */
  readonly notes: readonly TrustNote[]
}

/** Pieces of evidence as columns: a million of them are read in a second or two. */
export interface EvidencePieces {
  readonly peers: readonly string[]
  readonly capabilities: readonly string[]
  readonly sights: readonly Sight[]
  /** Four numbers a piece: milliseconds since the piece before (the first: since the epoch), peer, capability, sight. */
  readonly rows: readonly number[]
  /** The start score of the peer, by the number of the peer, where this rater saw it for the first time. */
  readonly starts: Readonly<Record<string, number>>
  /** The envelope of each piece, separated by spaces. */
  readonly envelopes: string
}

/** A batch as it was read, with the hash that was signed and the signature. */
export interface ReadBatch extends EvidenceBatch {
  readonly hash: Uint8Array
  readonly signature: Uint8Array
}

/** Numbers in a row of a piece. */
export const pieceCells = 4

const encoder = new TextEncoder()

/** Writes a batch down: what the hash of it, which is signed, is made of. */
export function formatBatch(batch: EvidenceBatch): Uint8Array {
  const { pieces, ...head } = batch
  const { sights, ...columns } = pieces
  return encoder.encode(
    JSON.stringify({ kind: trustModelName, ...head, ...columns, sights: sights.map(({ text }) => text) }),
  )
}

/** Joins a batch with its signature, as it is shared. */
export function sealBatch(text: Uint8Array, signature: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(signatureBytes + text.length)
  sealed.set(signature)
  sealed.set(text, signatureBytes)
  return sealed
}

/** A sealed batch as it lies in the stream of whoever took it. */
export interface StreamEntry {
  /** When it came, which decides what of it was too late. */
  readonly arrivedAtMs: number
  /** Since when the owner of the stream ran then. */
  readonly openedAtMs: number
  readonly sealed: Uint8Array
}

/** Writes an entry: two float64 (big endian), then the sealed batch. */
export function formatEntry({ arrivedAtMs, openedAtMs, sealed }: StreamEntry): Uint8Array {
  const entry = new Uint8Array(entryHeadBytes + sealed.length)
  const head = new DataView(entry.buffer)
  head.setFloat64(0, arrivedAtMs)
  head.setFloat64(8, openedAtMs)
  entry.set(sealed, entryHeadBytes)
  return entry
}

/** Takes an entry apart. Throws `store.corrupt` for what is too short to be one, or came at no time. */
export function splitEntry(data: Uint8Array, position: number): StreamEntry {
  if (data.length < entryHeadBytes + signatureBytes) throw corruptEntry(position, 'is too short')
  const head = new DataView(data.buffer, data.byteOffset)
  const arrivedAtMs = head.getFloat64(0)
  const openedAtMs = head.getFloat64(8)
  if (!Number.isFinite(arrivedAtMs) || !Number.isFinite(openedAtMs)) throw corruptEntry(position, 'came at no time')
  return { arrivedAtMs, openedAtMs, sealed: data.subarray(entryHeadBytes) }
}

/** Reads a batch and checks its shape; who signed it is for the caller to see. Undefined for what is none. */
export function readBatch(bytes: Uint8Array, hash: Hash): ReadBatch | undefined {
  const text = bytes.subarray(signatureBytes)
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null) return undefined
  const { kind, sights, ...rest } = value as Readonly<Record<string, unknown>>
  const batch = rest as unknown as Omit<EvidenceBatch, 'pieces'> & Omit<EvidencePieces, 'sights'>
  if (kind !== trustModelName || !isHead(batch) || !isTexts(sights)) return undefined
  const read = sights.map(parseSight)
  const pieces: EvidencePieces = {
    peers: batch.peers,
    capabilities: batch.capabilities,
    sights: read.filter((sight) => sight !== undefined),
    rows: batch.rows,
    starts: batch.starts,
    envelopes: batch.envelopes,
  }
  if (pieces.sights.length !== read.length || !isPieces(pieces, batch.atMs)) return undefined
  const { rater, did, model, first, atMs, previous, notes } = batch
  return {
    rater,
    did,
    model,
    first,
    atMs,
    previous,
    notes,
    pieces,
    hash: hash(text),
    signature: bytes.subarray(0, signatureBytes),
  }
}

/** How many pieces a batch has. */
export function countPieces({ rows }: Pick<EvidencePieces, 'rows'>): number {
  return rows.length / pieceCells
}

/** Names a batch by its hash, as the next one does. */
export function nameBatch(hash: Uint8Array): string {
  return encodeBase64url(hash)
}

/** Makes the failure for an entry of a stream that cannot be what was written there. */
export function corruptEntry(position: number, why: string): MeshError {
  return new MeshError('store.corrupt', `Entry ${String(position)} of the trust ledger ${why}`, {
    details: { position },
  })
}

const entryHeadBytes = 16

type Head = Omit<EvidenceBatch, 'pieces'>

function isHead({ rater, did, model, first, atMs, previous, notes }: Partial<Head>): boolean {
  return (
    isKey(rater) &&
    isKey(did) &&
    isKey(model) &&
    Number.isSafeInteger(first) &&
    (first ?? 0) >= 1 &&
    Number.isFinite(atMs) &&
    typeof previous === 'string' &&
    Array.isArray(notes) &&
    notes.every(isTrustNote)
  )
}

function isPieces({ peers, capabilities, sights, rows, starts, envelopes }: EvidencePieces, atMs: number): boolean {
  if (!isTexts(peers) || !peers.every(isKey)) return false
  if (!isTexts(capabilities) || !capabilities.every(isCapability)) return false
  if (!isNumbers(rows) || rows.length % pieceCells !== 0 || typeof envelopes !== 'string') return false
  if (!isStarts(starts)) return false
  const count = rows.length / pieceCells
  const named = envelopes.split(' ')
  if ((count > 0 || envelopes !== '') && (named.length !== count || !named.every(isEnvelope))) return false
  let time = 0
  for (let at = 0; at < rows.length; at += pieceCells) {
    const elapsed = rows[at] ?? -1
    time += elapsed
    if (!(elapsed >= 0) || !Number.isSafeInteger(time)) return false
    if (!isPlaceIn(rows[at + 1], peers.length)) return false
    if (!isPlaceIn(rows[at + 2], capabilities.length)) return false
    if (!isPlaceIn(rows[at + 3], sights.length)) return false
  }
  return time <= atMs
}

function isPlaceIn(value: number | undefined, length: number): boolean {
  return Number.isInteger(value) && (value ?? -1) >= 0 && (value ?? 0) < length
}

function isStarts(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every(isScore)
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((cell) => typeof cell === 'number')
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}
