import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { createSystemClock, createSystemRandom, type Clock, type Random } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { assertBrokerFit, hasBrokerFeature, listBrokerLacks } from './broker-features.ts'
import { readBrokerSync } from './broker-sync.ts'
import { createConditionalWriter } from './conditional-writer.ts'
import { parseWhole } from './entry-frame.ts'
import { createHighWater, readStaleMs, witnessHeader, type HighWater } from './high-water.ts'
import { createJetLink } from './jet-link.ts'
import { createLeaderReader, type LeaderReader } from './leader-reader.ts'
import { createNatsJournal } from './nats-journal.ts'
import { createNatsKeyValue } from './nats-key-value.ts'
import { createNatsStore, type NatsStore } from './nats-store.ts'
import { createRecheck } from './recheck.ts'
import { provisionStream, type Provision } from './provision-stream.ts'
import { layOutStore, type StreamChoices, type StreamLayout } from './stream-layout.ts'

/** How a store on JetStream is opened. */
export interface NatsStoreOptions {
  /**
   * Makes the connection, which the store then owns and closes: `() => dialNats({ servers })`. It has to reconnect for ever
   * and to have an inbox that no peer may publish to.
   */
  readonly connect: () => Promise<NatsConnection>
  /** One name, one store: 1 to 64 of A-Z a-z 0-9 _ -. */
  readonly name: string
  /** `create` (default) makes the streams where they are missing; `verify` leaves that to an operator. */
  readonly provision?: Provision
  /** Default 1. Three survive the loss of a server. */
  readonly replicas?: number
  /** What each stream may take; default -1, what the account may. A full one refuses writes. */
  readonly maxBytes?: number
  /** The JetStream domain, where the broker is a leaf. */
  readonly domain?: string
  /** Monitoring ports of the servers, which tell how they sync: `http://127.0.0.1:8222`. */
  readonly monitors?: readonly string[]
  /** `synced` opens only where every monitor says that each write is synced; default `acknowledged`. */
  readonly durability?: 'acknowledged' | 'synced'
  /** How long one answer may take; default 2,000. */
  readonly answerTimeoutMs?: number
  /** How long an outcome is looked for, and a read repeated, before the caller hears that it is not known; default 30,000. */
  readonly patienceMs?: number
  readonly clock?: Clock
  readonly random?: Random
}

const defaultAnswerTimeoutMs = 2_000
const defaultPatienceMs = 30_000

/**
 * Opens a store on JetStream. Rejects with what `connect` rejects with, `store.open-failed` where its streams cannot be found
 * or made, with `store.unsafe-config` where broker or streams would lose what they acknowledge, and with `store.corrupt` where one
 * stream shows that the other was rolled back.
 */
export async function openNatsStore(options: NatsStoreOptions): Promise<NatsStore> {
  const { name, replicas = 1, maxBytes = -1, provision = 'create', clock = createSystemClock() } = options
  const layout = layOutStore(name)
  const sync = await Promise.all((options.monitors ?? []).map(readBrokerSync))
  const syncsEachWrite = sync.length === 0 ? undefined : sync.every(({ always }) => always)
  if (options.durability === 'synced' && syncsEachWrite !== true)
    throw new MeshError(
      'store.unsafe-config',
      `Nothing says that the broker of the store ${name} syncs each write: set sync_interval: always on every server and name their monitoring ports.`,
      { details: { sync } },
    )
  const connection = await options.connect()
  const link = createJetLink(connection, clock, options.patienceMs ?? defaultPatienceMs)
  try {
    const brokerVersion = connection.info?.version ?? '0.0.0'
    assertBrokerFit(brokerVersion, replicas)
    const jetOptions = {
      timeout: options.answerTimeoutMs ?? defaultAnswerTimeoutMs,
      ...(options.domain === undefined ? {} : { domain: options.domain }),
    }
    const manager = await jetstreamManager(connection, { ...jetOptions, checkAPI: false })
    const client = jetstream(connection, { ...jetOptions })
    const choices: StreamChoices & { readonly provision: Provision } = { replicas, maxBytes, provision }
    const openPart = async (part: StreamLayout): Promise<Part> => {
      const { config, state } = await provisionStream(link, manager, brokerVersion, part, choices)
      const reader = createLeaderReader(link, manager, part)
      const highWater = createHighWater(part.stream, reader, link, clock, readStaleMs(config.num_replicas))
      highWater.learn(state.last_seq)
      return { layout: part, reader, highWater, replicas: config.num_replicas }
    }
    const [journal, keyValue] = await Promise.all([openPart(layout.journal), openPart(layout.keyValue)])
    await Promise.all([assertWitnessed(journal, keyValue), assertWitnessed(keyValue, journal)])

    const verified = createRecheck(() =>
      Promise.all([journal.highWater.verify(), keyValue.highWater.verify()]).then(() => undefined),
    )
    link.onReconnect(verified.demand)
    const random = options.random ?? createSystemRandom()
    const writerOf = (part: Part, other: Part): ReturnType<typeof createConditionalWriter> =>
      createConditionalWriter({
        ...part,
        stream: part.layout.stream,
        link,
        client,
        random,
        witness: () => other.highWater.sequence,
      })
    return createNatsStore({
      journal: createNatsJournal({
        ...layout.journal,
        reader: journal.reader,
        writer: writerOf(journal, keyValue),
        link,
        clock,
        staleMs: readStaleMs(journal.replicas),
        maxPayloadBytes: createPayloadLimit(connection),
      }),
      keyValue: createNatsKeyValue({
        root: layout.keyValue.root,
        reader: keyValue.reader,
        writer: writerOf(keyValue, journal),
        expiresMessages: hasBrokerFeature(brokerVersion, 'message-expiry'),
      }),
      facts: {
        name,
        brokerVersion,
        replicas: Math.min(journal.replicas, keyValue.replicas),
        sync,
        syncsEachWrite,
        lacks: listBrokerLacks(brokerVersion),
      },
      verified: verified.wait,
      release: () => link.close(),
      clock,
    })
  } catch (error) {
    await link.close()
    throw error
  }
}

/** What the server takes in one message; while there is none, what the last one took. */
function createPayloadLimit(connection: NatsConnection): () => number {
  let known = 0
  const read = (): number => {
    known = connection.info?.max_payload ?? known
    return known
  }
  read()
  return read
}

interface Part {
  readonly layout: StreamLayout
  readonly reader: LeaderReader
  readonly highWater: HighWater
  readonly replicas: number
}

/** The newest message of one stream says where the other was when it was written: it cannot be further back now. */
async function assertWitnessed({ highWater }: Part, other: Part): Promise<void> {
  const newest = await other.reader.at(other.highWater.sequence)
  const seen = newest ? parseWhole(newest.header(witnessHeader)) : 0
  if (!(seen > highWater.sequence)) return
  highWater.learn(seen)
  await highWater.verify()
}
