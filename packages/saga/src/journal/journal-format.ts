import { hash } from 'node:crypto'
import { MeshError } from '@parley/protocol'
import { parsePlan } from '../definition/plan.ts'
import { sagaEventTypes, type SagaEvent, type SealedEvent } from '../kernel/saga-event.ts'
import type { BodyRefs } from './body-vault.ts'
import { journalReader, upcastEvent, type JournalReader } from './upcast-event.ts'

/** One event as it stands in the journal. */
export interface JournaledEvent {
  readonly position: number
  /** When it was written, in milliseconds since the Unix epoch, by the writer's clock. */
  readonly atMs: number
  readonly event: SagaEvent
  /** Paths of bodies that cannot be read any more, since their key was destroyed. */
  readonly erased?: readonly string[]
}

/** The end of a chain: where the next entry goes and what it points back to. */
export interface JournalHead {
  readonly position: number
  /** base64url SHA-256 of the last entry's bytes. */
  readonly hash: string
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Returns the head of an empty journal: bound to the stream's name, so that entries cannot move between streams. */
export function emptyHead(stream: string): JournalHead {
  return { position: 0, hash: hashBytes(Buffer.from(`parley/saga/1 ${stream}`)) }
}

/** Encodes an event as the entry after `head`: JSON with format, position, hash of the entry before, and time. */
export function encodeEntry(
  head: JournalHead,
  atMs: number,
  event: SagaEvent,
  bodies?: BodyRefs,
): { readonly data: Uint8Array; readonly head: JournalHead; readonly entry: JournaledEvent } {
  const position = head.position + 1
  const data = Buffer.from(
    JSON.stringify({
      v: journalReader.format,
      n: position,
      prev: head.hash,
      at: atMs,
      event,
      ...(bodies && { bodies }),
    }),
  )
  return { data, head: { position, hash: hashBytes(data) }, entry: { position, atMs, event } }
}

/**
 * Decodes the entry that must follow `head`; the first one may be the seal of those that were removed. Bodies that do not stand
 * in it are referred to. Throws `saga.journal-corrupt` for a gap, a broken chain or malformed bytes, and
 * `saga.plan-unsupported` for an event or plan of a later format.
 */
export function decodeEntry(
  head: JournalHead,
  position: number,
  data: Uint8Array,
  reader: JournalReader = journalReader,
): { readonly head: JournalHead; readonly entry: JournaledEvent; readonly bodies?: BodyRefs } {
  const corrupt = (problem: string, cause?: unknown): MeshError =>
    new MeshError('saga.journal-corrupt', `entry ${position} ${problem}: restore the store from a backup`, { cause })
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(data))
  } catch (cause) {
    throw corrupt('is not JSON', cause)
  }
  if (typeof value !== 'object' || value === null) throw corrupt('is not an object')
  const { v, n, prev, at, event: written, bodies } = value as Readonly<Record<string, unknown>>
  const event = upcastEvent(v, written, position, reader)
  if (isSeal(event) && head.position === 0 && n === position)
    return decodeSeal(head, position, data, prev, at, event, corrupt)
  if (position !== head.position + 1 || n !== position) throw corrupt(`follows entry ${head.position}: there is a gap`)
  if (prev !== head.hash) throw corrupt('does not point to the entry before it: the chain is broken')
  if (typeof at !== 'number') throw corrupt('has no time')
  return {
    head: { position, hash: hashBytes(data) },
    entry: { position, atMs: at, event: parseEvent(event, corrupt) },
    ...(bodies !== undefined && { bodies: bodies as BodyRefs }),
  }
}

function isSeal(event: unknown): event is SealedEvent {
  return typeof event === 'object' && event !== null && 'type' in event && event.type === 'sealed'
}

/** A seal comes first, at whatever position: what it follows was removed, and only its link to that is left. */
function decodeSeal(
  head: JournalHead,
  position: number,
  data: Uint8Array,
  prev: unknown,
  at: unknown,
  event: SealedEvent,
  corrupt: (problem: string) => MeshError,
): { readonly head: JournalHead; readonly entry: JournaledEvent } {
  if (event.genesis !== head.hash) throw corrupt('is the seal of another stream')
  if (typeof prev !== 'string' || typeof at !== 'number' || typeof event.definition.fingerprint !== 'string')
    throw corrupt('is an incomplete seal')
  return { head: { position, hash: hashBytes(data) }, entry: { position, atMs: at, event } }
}

function parseEvent(value: unknown, corrupt: (problem: string) => MeshError): SagaEvent {
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string')
    throw corrupt('holds no event')
  if (!Object.hasOwn(sagaEventTypes, value.type))
    throw new MeshError('saga.plan-unsupported', `the event "${value.type}" is not known to this version`)
  // The chain proves that a writer of this format wrote it; what the fold relies on is checked all the same.
  const event = value as SagaEvent
  if (sagaEventTypes[event.type] === 'step' && !('step' in event && typeof event.step === 'string'))
    throw corrupt(`is a "${event.type}" of no step`)
  if (event.type !== 'started') return event
  const { owner, expiresAtMs, definition } = event
  if (typeof owner !== 'string' || typeof expiresAtMs !== 'number' || typeof definition.fingerprint !== 'string')
    throw corrupt('is an incomplete start')
  return { ...event, plan: parsePlan(event.plan) }
}

function hashBytes(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'base64url')
}
