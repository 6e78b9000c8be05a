import { JetStreamApiError, type JetStreamClient } from '@nats-io/jetstream'
import { createManualClock, createSeededRandom } from '@parley/ports'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createConditionalWriter, writeIdHeader, type ConditionalWriter } from './conditional-writer.ts'
import { createHighWater } from './high-water.ts'
import { unavailable, type Exchange, type JetLink } from './jet-link.ts'
import type { LeaderReader, StoredMessage } from './leader-reader.ts'

/** What the broker does with one publish. */
const faults = ['answers', 'stores-silently', 'loses', 'stores-late', 'undelivered', 'busy', 'false-duplicate'] as const
type Fault = (typeof faults)[number]

interface Publish {
  readonly id: string
  readonly expected: number
  readonly message: StoredMessage
}

interface Scripted {
  readonly client: Pick<JetStreamClient, 'publish'>
  readonly reader: Pick<LeaderReader, 'last' | 'next'>
  readonly log: StoredMessage[]
  /** Lets what is on its way arrive. */
  readonly land: () => void
}

/** A subject as a broker keeps it, which fails as it is told and then works. */
function createScriptedBroker(script: readonly Fault[], intruder: boolean, silentReads = 0): Scripted {
  const log: StoredMessage[] = [messageOf(7, 'before')]
  const late: Publish[] = []
  let step = 0
  let reads = silentReads
  const lastOf = (): number => log.at(-1)?.sequence ?? 0
  const store = ({ expected, message }: Publish): number | undefined => {
    if (log.at(-1)?.sequence !== expected) return undefined
    const sequence = expected + 3
    log.push({ ...message, sequence })
    return sequence
  }
  const land = (): void => {
    for (const each of late.splice(0)) store(each)
  }
  const refuse = (code: number): never => {
    throw new JetStreamApiError({ code: 400, err_code: code, description: 'refused' })
  }
  const client: Pick<JetStreamClient, 'publish'> = {
    async publish(_, data, options) {
      const header = (name: string): string => options?.headers?.get(name) ?? ''
      const expected = options?.expect?.lastSubjectSequence ?? -1
      const message = messageOf(0, header(writeIdHeader), expected)
      const publish = { id: header(writeIdHeader), expected, message: { ...message, data: data as Uint8Array } }
      const fault = script[step++] ?? 'answers'
      if (intruder && step === 2) log.push(messageOf(lastOf() + 1, 'intruder', lastOf()))
      if (fault === 'stores-late') late.push(publish)
      else if (step > 1) land()
      if (fault === 'stores-silently') store(publish)
      if (fault === 'busy') return refuse(10164)
      if (fault === 'false-duplicate') return { stream: 's', seq: 9, duplicate: true, domain: '' }
      if (fault !== 'answers') throw new Error(fault)
      const sequence = store(publish)
      return sequence === undefined ? refuse(10071) : { stream: 's', seq: sequence, duplicate: false, domain: '' }
    },
  }
  const reader = {
    last: async () => log.at(-1),
    async next(_: string, from: number) {
      if (reads-- > 0) throw unavailable('read', 'silent')
      return log.find(({ sequence }) => sequence >= from)
    },
  }
  return { client, reader, log, land }
}

function messageOf(sequence: number, id: string, expected = 0): StoredMessage {
  const headers: Readonly<Record<string, string>> = {
    [writeIdHeader]: id,
    'Nats-Expected-Last-Subject-Sequence': String(expected),
  }
  return { subject: 'a', sequence, header: (name) => headers[name] ?? '', data: new Uint8Array(0) }
}

/** A link whose patience is a number of tries. */
function createCountedLink(tries = 50): JetLink {
  let left = tries
  return {
    isConnected: () => true,
    async exchange<Answer>(request: () => Promise<Answer>): Promise<Exchange<Answer>> {
      try {
        return { kind: 'answered', answer: await request() }
      } catch (error) {
        if (error instanceof JetStreamApiError) return { kind: 'refused', code: error.code, error }
        if (!(error instanceof Error)) throw error
        return { kind: error.message === 'undelivered' ? 'undelivered' : 'silent', why: error.message }
      }
    },
    ask: (_, request) => request(),
    pause: async () => left-- > 0,
    deadline: () => 0,
    onReconnect: () => {},
    close: async () => {},
  }
}

function writerOver(broker: Pick<Scripted, 'client' | 'reader'>, link: JetLink): ConditionalWriter {
  const { client, reader } = broker
  const all = { ...reader, at: async () => undefined, lastSequence: async () => 0, names: async () => [] }
  const highWater = createHighWater('s', all, link, createManualClock(), 0)
  const random = createSeededRandom(1)
  return createConditionalWriter({ stream: 's', link, client, reader, highWater, witness: () => 0, random })
}

const message = { headers: {}, data: Uint8Array.of(1) }

describe('createConditionalWriter', () => {
  it('T1: says stored exactly if it is, once, whatever was lost on the way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...faults), { maxLength: 8 }),
        fc.boolean(),
        fc.nat(3),
        async (script, intruder, silentReads) => {
          const broker = createScriptedBroker(script, intruder, silentReads)
          const outcome = await writerOver(broker, createCountedLink()).write('a', 7, message)
          broker.land()
          const ours = broker.log.filter(({ header }) => !['before', 'intruder'].includes(header(writeIdHeader)))
          expect(ours.map(({ sequence }) => sequence)).toEqual(outcome.kind === 'stored' ? [outcome.sequence] : [])
          expect(outcome.kind === 'stored' || intruder).toBe(true)
        },
      ),
    )
  })
  it('T1: never guesses: what is sent, not answered and not found stays unknown', async () => {
    const broker = createScriptedBroker(Array<Fault>(9).fill('loses'), false)
    await expect(writerOver(broker, createCountedLink(4)).write('a', 7, message)).rejects.toMatchObject({
      code: 'store.outcome-unknown',
      retryable: false,
    })
  })
  it('says that nothing was written if nobody ever received it', async () => {
    const broker = createScriptedBroker(Array<Fault>(9).fill('undelivered'), false)
    await expect(writerOver(broker, createCountedLink(4)).write('a', 7, message)).rejects.toMatchObject({
      code: 'store.unavailable',
      retryable: true,
    })
  })
  it('T3: takes no duplicate for an acknowledgement, and finds out by reading', async () => {
    const broker = createScriptedBroker(['false-duplicate'], false)
    expect(await writerOver(broker, createCountedLink()).write('a', 7, message)).toEqual({
      kind: 'stored',
      sequence: 10,
    })
    expect(broker.log).toHaveLength(2)
  })
  it('T1: does not claim a place that a later write already covers', async () => {
    const broker = createScriptedBroker(['loses'], false)
    broker.log.push(messageOf(12, 'later', 11))
    await expect(writerOver(broker, createCountedLink()).write('a', 7, message)).rejects.toMatchObject({
      code: 'store.outcome-unknown',
    })
  })
  it('T13: loses to whoever took the place, and writes nothing', async () => {
    const broker = createScriptedBroker([], false)
    broker.log.push(messageOf(8, 'intruder', 7))
    expect(await writerOver(broker, createCountedLink()).write('a', 7, message)).toEqual({ kind: 'conflict' })
    expect(broker.log).toHaveLength(2)
  })
  it('hands on what the broker refuses for another reason', async () => {
    const broker = createScriptedBroker([], false)
    const full = { ...broker, client: { publish: () => Promise.reject(apiError(10077)) } }
    await expect(writerOver(full, createCountedLink()).write('a', 7, message)).rejects.toMatchObject({
      code: 'store.write-failed',
      details: { jetStreamCode: 10077 },
    })
  })
  it('stops where a stream gives out sequences that it had given before', async () => {
    const broker = createScriptedBroker([], false)
    const writer = writerOver(broker, createCountedLink())
    await writer.write('a', 7, message)
    broker.log.splice(0, 2, messageOf(3, 'restored'))
    await expect(writer.write('a', 3, message)).rejects.toMatchObject({ code: 'store.corrupt' })
    await expect(writer.write('a', 6, message)).rejects.toMatchObject({ code: 'store.corrupt' })
  })
})

function apiError(code: number): JetStreamApiError {
  return new JetStreamApiError({ code: 503, err_code: code, description: 'maximum messages exceeded' })
}
