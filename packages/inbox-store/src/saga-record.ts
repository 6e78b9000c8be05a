import type { InboxCommand } from '@parley/ports'
import { MeshError } from '@parley/protocol'

/** What is remembered of one key. */
export interface KeyRecord {
  readonly capability: string
  /**
   * `begun`: it may have been done, and nobody wrote down how it ended. `undoing`: its undo may have been done. The others are
   * what they are for every inbox.
   */
  readonly state: 'begun' | 'ok' | 'declined' | 'undoing' | 'tombstone'
  /** The JSON text that was answered; empty where there is none, or where nobody knows it. */
  readonly body: string
}

/** Everything that is remembered of one saga, so that one conditional write fences all of it. */
export interface SagaRecord {
  readonly epoch: number
  readonly expiresAtMs: number
  readonly closed: boolean
  readonly keys: Readonly<Record<string, KeyRecord>>
}

const states: ReadonlySet<unknown> = new Set<KeyRecord['state']>(['begun', 'ok', 'declined', 'undoing', 'tombstone'])

/** What is known of a saga before its first command. */
export function beginRecord({ epoch, expiresAtMs }: InboxCommand): SagaRecord {
  return { epoch, expiresAtMs, closed: false, keys: {} }
}

/** Raises epoch and expiry to those of a command; the same record if they were that high. */
export function raiseRecord(record: SagaRecord, { epoch, expiresAtMs }: InboxCommand): SagaRecord {
  if (record.epoch >= epoch && record.expiresAtMs >= expiresAtMs) return record
  return {
    ...record,
    epoch: Math.max(record.epoch, epoch),
    expiresAtMs: Math.max(record.expiresAtMs, expiresAtMs),
  }
}

/** Writes what is known of one key; undefined forgets it. */
export function withKey(record: SagaRecord, key: string, known: KeyRecord | undefined): SagaRecord {
  const others = Object.entries(record.keys).filter(([name]) => name !== key)
  return { ...record, keys: Object.fromEntries(known ? [...others, [key, known]] : others) }
}

/** Reads what is known of one key. */
export function keyOf(record: SagaRecord, key: string): KeyRecord | undefined {
  return Object.hasOwn(record.keys, key) ? record.keys[key] : undefined
}

/** Encodes a record as the bytes of a value. */
export function encodeRecord(record: SagaRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ v: 1, ...record }))
}

/** Decodes a record. Throws `store.corrupt` for anything that `encodeRecord` did not make. */
export function decodeRecord(bytes: Uint8Array): SagaRecord {
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Partial<SagaRecord> & {
      readonly v?: unknown
    }
    const { v, epoch, expiresAtMs, closed, keys } = value
    if (v === 1 && Number.isSafeInteger(epoch) && Number.isSafeInteger(expiresAtMs) && isKeys(keys))
      return { epoch: epoch ?? 0, expiresAtMs: expiresAtMs ?? 0, closed: closed === true, keys }
  } catch (error) {
    throw new MeshError('store.corrupt', 'a record of the inbox is not JSON; restore the store', { cause: error })
  }
  throw new MeshError('store.corrupt', 'a record of the inbox is not one of this version; restore the store')
}

function isKeys(value: unknown): value is SagaRecord['keys'] {
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).every((known: Partial<KeyRecord> | null) => {
    return typeof known?.capability === 'string' && typeof known.body === 'string' && states.has(known.state)
  })
}
