import type { Clock, Journal, JournalEntry } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { ConditionalWriter } from './conditional-writer.ts'
import { decodeEntryFrame, encodeEntryFrame, type EntryFrame } from './entry-frame.ts'
import { describeRollback } from './high-water.ts'
import type { JetLink } from './jet-link.ts'
import type { LeaderReader, StoredMessage } from './leader-reader.ts'
import { findFrame, readFrames, type SequencedFrame } from './frame-search.ts'
import { formatStoreSubject } from './store-subject.ts'

// I1 A journal stream is a subject, an append is one message: all of its entries or none. Positions are counted in headers
//    and are dense whatever sequence the broker gave.
// I2 The place of an append is the sequence before it: a writer that does not know the end of its subject writes nothing (T13).

/** What a journal stands on. */
export interface JournalSetup {
  readonly root: string
  readonly stream: string
  readonly reader: LeaderReader
  readonly writer: ConditionalWriter
  readonly link: JetLink
  readonly clock: Clock
  /** How long a read may be behind what this process knows. */
  readonly staleMs: number
  readonly maxPayloadBytes: () => number
}

interface Head {
  readonly sequence: number
  readonly last: number
}

const noHead: Head = { sequence: 0, last: 0 }

/** Ends of streams that are known without asking; about 2 MB. */
const maxHeads = 10_000

/** Room for headers beside the entries of one append. */
const headerBytes = 512

/** Creates the journal of a store. */
export function createNatsJournal(setup: JournalSetup): Journal {
  const { root, stream: jetStream, reader, writer, link, clock, staleMs, maxPayloadBytes } = setup
  const heads = new Map<string, Head>()
  const remember = (stream: string, head: Head): Head => {
    heads.delete(stream)
    if (head.last === 0) return head
    heads.set(stream, head)
    const [oldest] = heads.keys()
    if (heads.size > maxHeads && oldest !== undefined) heads.delete(oldest)
    return head
  }
  /** Reads the newest append; one that is older than what was known is asked for again, since its leader may be deposed. */
  const readNewest = async (stream: string, subject: string): Promise<SequencedFrame | undefined> => {
    const known = heads.get(stream)?.sequence ?? 0
    const untilMs = clock.monotonic() + staleMs
    for (let attempt = 0; ; attempt++) {
      const newest = await reader.last(subject)
      if ((newest?.sequence ?? 0) >= known) {
        const frame = newest && decode(stream, newest)
        remember(stream, frame ? { sequence: frame.sequence, last: frame.lastPosition } : noHead)
        return frame
      }
      if (!(await link.pause(attempt, untilMs))) throw describeRollback(jetStream, known, newest?.sequence ?? 0)
    }
  }
  const readHead = async (stream: string, subject: string): Promise<Head> => {
    const newest = await readNewest(stream, subject)
    return newest ? { sequence: newest.sequence, last: newest.lastPosition } : noHead
  }

  const write = async (
    stream: string,
    expectedLast: number,
    entries: readonly Uint8Array[],
    isFirst: boolean,
  ): Promise<number> => {
    const subject = formatStoreSubject(root, stream)
    // The caller may reuse its buffers before the broker answers.
    const message = encodeEntryFrame({ firstPosition: expectedLast + 1, entries, isFirst })
    const maxBytes = maxPayloadBytes() - headerBytes - (message.headers['Parley-Sizes']?.length ?? 0)
    if (message.data.length > maxBytes)
      throw new MeshError(
        'store.append-too-large',
        `An append of ${message.data.length} bytes to ${stream} is more than the broker takes, ${maxBytes}; keep large bodies apart or raise max_payload.`,
        { details: { stream, bytes: message.data.length, maxBytes } },
      )
    const known = heads.get(stream)
    const head = known?.last === expectedLast && entries.length > 0 ? known : await readHead(stream, subject)
    if (head.last !== expectedLast) throw positionConflict(stream, head.last, expectedLast)
    if (entries.length === 0) return head.last
    const outcome = await writer.write(subject, head.sequence, message)
    if (outcome.kind === 'conflict')
      throw positionConflict(stream, (await readHead(stream, subject)).last, expectedLast)
    return remember(stream, { sequence: outcome.sequence, last: expectedLast + entries.length }).last
  }

  const read: Journal['read'] = async (stream, fromPosition = 1, limit = Number.MAX_SAFE_INTEGER) => {
    const subject = formatStoreSubject(root, stream)
    const newest = await readNewest(stream, subject)
    const wanted = Math.max(1, fromPosition)
    if (!newest || limit <= 0 || wanted > newest.lastPosition) return []
    const next = async (fromSequence: number): Promise<SequencedFrame | undefined> => {
      const message = await reader.next(subject, fromSequence)
      return message && decode(stream, message)
    }
    const start = await findFrame(next, newest, wanted)
    const first = start.isFirst ? Math.max(wanted, start.firstPosition) : wanted
    const last = Math.min(newest.lastPosition, first + limit - 1)
    try {
      return collectEntries(stream, await readFrames(next, start, newest, last), first, last)
    } catch (error) {
      // What was compacted meanwhile is no gap.
      const oldest = await next(1)
      if (oldest?.isFirst && oldest.sequence > newest.sequence) return read(stream, fromPosition, limit)
      throw error
    }
  }

  return {
    append: (stream, expectedLast, entries) => write(stream, expectedLast, entries, false),
    compact: (stream, expectedLast, entries) => write(stream, expectedLast, entries, true),
    read,
    async last(stream) {
      return (await readHead(stream, formatStoreSubject(root, stream))).last
    },
    streams: (prefix) => reader.names(prefix),
  }
}

function decode(stream: string, { sequence, header, data }: StoredMessage): SequencedFrame {
  const frame = decodeEntryFrame(stream, header, data)
  return { ...frame, sequence, lastPosition: frame.firstPosition + frame.entries.length - 1 }
}

/** Puts appends together, and trusts no order but the one that it counts. */
function collectEntries(
  stream: string,
  frames: readonly EntryFrame[],
  first: number,
  last: number,
): readonly JournalEntry[] {
  const entries: JournalEntry[] = []
  let expected = frames[0]?.firstPosition ?? 0
  for (const { firstPosition, entries: appended } of frames) {
    if (firstPosition !== expected) throw gap(stream, expected, firstPosition)
    for (const data of appended) {
      if (expected >= first && expected <= last) entries.push({ position: expected, data })
      expected += 1
    }
  }
  if (entries[0]?.position === first && entries.length === last - first + 1) return entries
  throw gap(stream, entries.length === 0 ? first : expected, last)
}

function gap(stream: string, expected: number, found: number): MeshError {
  return new MeshError('store.corrupt', `Stream ${stream} has a gap: ${expected} should follow, ${found} is there.`, {
    details: { stream, expected, found },
  })
}

function positionConflict(stream: string, last: number, expectedLast: number): MeshError {
  return new MeshError(
    'store.position-conflict',
    `Stream ${stream} ends at ${last}, the writer expected ${expectedLast}; read again before writing.`,
    { details: { stream, last, expectedLast } },
  )
}
