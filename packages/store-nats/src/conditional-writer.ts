import { headers, type MsgHdrs } from '@nats-io/nats-core'
import { JetStreamApiCodes, type JetStreamClient } from '@nats-io/jetstream'
import type { Random } from '@parley/ports'
import { encodeBase64url, MeshError } from '@parley/protocol'
import { parseWhole, type FramedMessage } from './entry-frame.ts'
import { witnessHeader, type HighWater } from './high-water.ts'
import { unavailable, type JetLink } from './jet-link.ts'
import type { LeaderReader, StoredMessage } from './leader-reader.ts'

// I1 A write names the sequence that its subject ends at, so it is stored at most once however often it is sent: the
//    broker's own memory of message ids, which is finite (T2) and can claim what was not stored (T3), is not asked.
// I2 What was sent and not answered is unknown until the broker says so or a read shows whose message took the place (T1).
// I3 An acknowledgement that says `duplicate` is no acknowledgement (T3).

/** Tells one write from every other, also in what is read back. */
export const writeIdHeader = 'Parley-Write'

const expectedHeader = 'Nats-Expected-Last-Subject-Sequence'
const conflictCodes: readonly number[] = [
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
]

/** How a write ended. */
export type WriteOutcome =
  | { readonly kind: 'stored'; readonly sequence: number }
  /** Another message is there, or none that was expected; nothing was written. */
  | { readonly kind: 'conflict' }

/** Writes to one stream. */
export interface ConditionalWriter {
  /**
   * Stores a message as the one after `expectedSequence` of its subject (0: the first). Rejects with `store.unavailable` or
   * `store.write-failed` if nothing was stored, and with `store.outcome-unknown` if that could not be found out.
   */
  write(subject: string, expectedSequence: number, message: FramedMessage): Promise<WriteOutcome>
}

/** What a writer stands on. */
export interface WriterSetup {
  readonly stream: string
  readonly link: JetLink
  readonly client: Pick<JetStreamClient, 'publish'>
  readonly reader: Pick<LeaderReader, 'last' | 'next'>
  readonly highWater: HighWater
  /** The newest sequence of the store's other stream. */
  readonly witness: () => number
  readonly random: Random
}

/** Creates the writer of a stream. */
export function createConditionalWriter(setup: WriterSetup): ConditionalWriter {
  const { stream, link, client, reader, highWater, witness } = setup
  const writer = encodeBase64url(setup.random.bytes(9))
  let count = 0

  /** Finds whose message took the place, as far as one read tells. */
  const findSuccessor = async (
    subject: string,
    expectedSequence: number,
    id: string,
    mayBeStored: boolean,
  ): Promise<WriteOutcome | undefined> => {
    const next = await reader.next(subject, expectedSequence + 1)
    if (next?.header(writeIdHeader) === id) {
      highWater.learn(next.sequence)
      return { kind: 'stored', sequence: next.sequence }
    }
    if (!next) {
      const last = expectedSequence === 0 ? undefined : await reader.last(subject)
      // Nothing follows: the write is still on its way, or what it should follow is gone.
      return (last?.sequence ?? 0) === expectedSequence ? undefined : { kind: 'conflict' }
    }
    if (expectedBy(next) === expectedSequence || !mayBeStored) return { kind: 'conflict' }
    throw outcomeUnknown(subject, 'what took its place is no longer kept')
  }

  return {
    async write(subject, expectedSequence, message) {
      const id = `${writer}.${(count++).toString(36)}`
      const head = toHeaders(message, { [writeIdHeader]: id, [witnessHeader]: String(witness()) })
      const untilMs = link.deadline()
      let mayBeStored = false
      let why = ''
      for (let attempt = 0; ; attempt++) {
        highWater.assertSound()
        const before = highWater.sequence
        const given = await link.exchange(() =>
          client.publish(subject, message.data, { headers: head, expect: { lastSubjectSequence: expectedSequence } }),
        )
        if (given.kind === 'answered' && !given.answer.duplicate && given.answer.stream === stream) {
          highWater.take(before, given.answer.seq)
          return { kind: 'stored', sequence: given.answer.seq }
        }
        if (given.kind === 'refused' && !conflictCodes.includes(given.code) && !mayBeStored)
          throw writeRefused(stream, given.code, given.error)
        if (given.kind === 'undelivered' && attempt === 0 && !link.isConnected())
          throw unavailable(`Nothing was written to ${stream}`, given.why)
        if (given.kind === 'silent' || given.kind === 'answered') mayBeStored = true
        if (given.kind !== 'answered') why = given.kind === 'refused' ? given.error.message : given.why
        // Silence is given time, a refusal is looked into at once.
        if (given.kind !== 'refused' && !(await link.pause(attempt, untilMs))) break
        const isRead = mayBeStored || given.kind === 'refused'
        const found = isRead && (await settle(() => findSuccessor(subject, expectedSequence, id, mayBeStored)))
        if (found) return found
        if (given.kind === 'refused' && !(await link.pause(attempt, untilMs))) break
      }
      throw mayBeStored ? outcomeUnknown(subject, why) : unavailable(`Nothing was written to ${stream}`, why)
    },
  }

  /** A read that nobody answers settles nothing; the next try reads again. */
  async function settle<Found>(read: () => Promise<Found | undefined>): Promise<Found | undefined> {
    try {
      return await read()
    } catch (error) {
      if (error instanceof MeshError && error.code === 'store.unavailable') return undefined
      throw error
    }
  }
}

function expectedBy(message: StoredMessage): number {
  return parseWhole(message.header(expectedHeader))
}

function toHeaders(message: FramedMessage, more: Readonly<Record<string, string>>): MsgHdrs {
  const list = headers()
  for (const [name, value] of Object.entries({ ...message.headers, ...more })) list.set(name, value)
  return list
}

function writeRefused(stream: string, code: number, cause: Error): MeshError {
  return new MeshError('store.write-failed', `The stream ${stream} refused a write: ${cause.message}.`, {
    cause,
    details: { stream, jetStreamCode: code },
  })
}

function outcomeUnknown(subject: string, why: string): MeshError {
  return new MeshError(
    'store.outcome-unknown',
    `Whether a write to ${subject} was kept could not be found out: ${why}. Read before writing again.`,
    { details: { subject } },
  )
}
