import { hash } from 'node:crypto'
import type { Random } from '@parley/ports'
import { encodeBase64url, MeshError } from '@parley/protocol'
import { parsePlan } from '../definition/plan.ts'
import { sagaEventTypes, type SagaEvent, type SealedEvent, type StartedEvent } from '../kernel/saga-event.ts'
import type { BodyRefs } from './body-vault.ts'
import { isBodyPath, putBodies, takeBodies } from './event-bodies.ts'
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
  /** base64url SHA-256 of the last entry's first line. */
  readonly hash: string
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Returns the head of an empty journal: bound to the stream's name, so that entries cannot move between streams. */
export function emptyHead(stream: string): JournalHead {
  return { position: 0, hash: hashText(`parley/saga/1 ${stream}`) }
}

/**
 * Encodes an event as the entry after `head`: a line with format, position, hash of the entry before, time, the event without
 * its bodies, references to those that are kept elsewhere, and the hash of a second line. That one holds the bodies that
 * stand here, and a salt of 16 bytes, without which a short body could be guessed: it can be left out of a copy.
 */
export function encodeEntry(
  head: JournalHead,
  atMs: number,
  event: SagaEvent,
  random: Random,
  refs?: BodyRefs,
): { readonly data: Uint8Array; readonly head: JournalHead; readonly entry: JournaledEvent } {
  const position = head.position + 1
  const { event: bare, bodies } = takeBodies(event)
  const second = bodies && JSON.stringify({ salt: encodeBase64url(random.bytes(16)), of: bodies })
  const first = JSON.stringify({
    v: journalReader.format,
    n: position,
    prev: head.hash,
    at: atMs,
    event: bare,
    bodies: refs,
    beside: second && hashText(second),
  })
  // Short bytes come out of a pool here, where an encoder would allocate for each entry.
  const data = Buffer.from(second === undefined ? first : `${first}\n${second}`)
  return { data, head: { position, hash: hashText(first) }, entry: { position, atMs, event } }
}

/** An entry that was read. */
export interface DecodedEntry {
  readonly head: JournalHead
  readonly entry: JournaledEvent
  /** Bodies that are kept elsewhere. */
  readonly bodies?: BodyRefs
  /** Whether the entry has a second line with bodies, and whether that is here. */
  readonly beside: 'none' | 'here' | 'apart'
}

/** How an entry is decoded. */
export interface DecodeOptions {
  readonly reader?: JournalReader
  /** Whether its second line has to be here; default true. */
  readonly needsBodies?: boolean
}

/**
 * Decodes the entry that must follow `head`; the first one may be the seal of those that were removed. Bodies that are kept
 * elsewhere are referred to. Throws `saga.journal-corrupt` for a gap, a broken chain, malformed bytes or bodies that are needed
 * and not here, and `saga.plan-unsupported` for an event or plan of a later format.
 */
export function decodeEntry(
  head: JournalHead,
  position: number,
  data: Uint8Array,
  { reader = journalReader, needsBodies = true }: DecodeOptions = {},
): DecodedEntry {
  const corrupt = (problem: string, cause?: unknown): MeshError =>
    new MeshError('saga.journal-corrupt', `entry ${position} ${problem}`, { cause })
  const { first, second } = splitLines(data)
  const { v, n, prev, at, event: bare, bodies, beside } = parseLine(first, corrupt)
  if (beside === undefined ? second !== undefined : second ? hashText(second) !== beside : needsBodies)
    throw corrupt(second ? 'has other bodies than it commits to' : 'has lost its bodies')
  const written = second && isFields(bare) ? join(bare, second, corrupt) : bare
  const event = upcastEvent(v, written, position, reader)
  const decoded = (known: SagaEvent): DecodedEntry => ({
    head: { position, hash: hashText(first) },
    entry: { position, atMs: at as number, event: known },
    beside: second ? 'here' : beside === undefined ? 'none' : 'apart',
    ...(bodies !== undefined && { bodies: bodies as BodyRefs }),
  })
  if (isSeal(event) && head.position === 0 && n === position) {
    assertSeal(head, prev, at, event, corrupt)
    return decoded(event)
  }
  if (position !== head.position + 1 || n !== position) throw corrupt(`follows entry ${head.position}: there is a gap`)
  if (prev !== head.hash) throw corrupt('does not point to the entry before it: the chain is broken')
  if (typeof at !== 'number') throw corrupt('has no time')
  return decoded(parseEvent(event, corrupt))
}

function isSeal(event: unknown): event is SealedEvent {
  return typeof event === 'object' && event !== null && 'type' in event && event.type === 'sealed'
}

/** A seal comes first, at whatever position: what it follows was removed, and only its link to that is left. */
function assertSeal(head: JournalHead, prev: unknown, at: unknown, event: SealedEvent, corrupt: Corrupt): void {
  if (event.genesis !== head.hash) throw corrupt('is the seal of another stream')
  if (typeof prev !== 'string' || typeof at !== 'number' || typeof event.definition.fingerprint !== 'string')
    throw corrupt('is an incomplete seal')
}

/** Reads the event of an entry, for whoever looks at one alone: what it follows is not asked. Throws as `decodeEntry` does. */
export function peekEvent(data: Uint8Array): SagaEvent {
  const { first } = splitLines(data)
  const { n, prev } = parseLine(first, (problem) => new MeshError('saga.journal-corrupt', `the entry ${problem}`))
  return decodeEntry({ position: Number(n) - 1, hash: String(prev) }, Number(n), data).entry.event
}

type Corrupt = (problem: string, cause?: unknown) => MeshError

function splitLines(data: Uint8Array): { readonly first: Uint8Array; readonly second?: Uint8Array } {
  const at = data.indexOf(0x0a)
  return at < 0 ? { first: data } : { first: data.subarray(0, at), second: data.subarray(at + 1) }
}

function parseLine(line: Uint8Array, corrupt: Corrupt): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(line))
  } catch (cause) {
    throw corrupt('is not JSON', cause)
  }
  if (!isFields(value)) throw corrupt('is not an object')
  return value
}

function join(bare: Readonly<Record<string, unknown>>, second: Uint8Array, corrupt: Corrupt): SagaEvent {
  const { of } = parseLine(second, corrupt)
  const event = bare as unknown as SagaEvent
  if (!isFields(of) || Object.keys(of).some((path) => !isBodyPath(event.type, path)))
    throw corrupt('holds bodies that are none of its event')
  return putBodies(event, of)
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function parseEvent(value: unknown, corrupt: Corrupt): SagaEvent {
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string')
    throw corrupt('holds no event')
  if (!Object.hasOwn(sagaEventTypes, value.type))
    throw new MeshError('saga.plan-unsupported', `the event "${value.type}" is not known to this version`)
  // The chain proves that a writer of this format wrote it; what the fold relies on is checked all the same.
  const event = value as SagaEvent
  if (sagaEventTypes[event.type] === 'step' && !('step' in event && typeof event.step === 'string'))
    throw corrupt(`is a "${event.type}" of no step`)
  if (event.type !== 'started') return event
  const { owner, expiresAtMs, definition } = event as Partial<StartedEvent>
  if (typeof owner !== 'string' || typeof expiresAtMs !== 'number' || typeof definition?.fingerprint !== 'string')
    throw corrupt('is an incomplete start')
  return { ...event, plan: parsePlan(event.plan) }
}

/** SHA-256 in base64url: of a text over its UTF-8. In one call, since every entry pays for it. */
function hashText(value: string | Uint8Array): string {
  return hash('sha256', value, 'base64url')
}
