import type { Store } from '@parley/ports'
import { shareSagas } from '@parley/saga'
import { openNatsStore } from '@parley/store-nats'
import type { SqliteStore } from '@parley/store-sqlite'
import { dialNats } from '@parley/transport-nats'

/** Where measured sagas are kept, and what says how durably. */
export interface BenchStore {
  readonly store: Store
  /** Reads back what is in force, as a line of text. */
  durability(): string
}

/** A broker with JetStream. */
export interface BenchBroker {
  readonly url: string
  readonly monitor: string
}

/** Keeps sagas in the SQLite store, or in JetStream beside it where `broker` (JSON of `BenchBroker`) is given. */
export async function openBenchStore(own: SqliteStore, broker: string): Promise<BenchStore> {
  if (broker === '') return { store: own, durability: () => describeSqlite(own) }
  const { url, monitor } = JSON.parse(broker) as BenchBroker
  const shared = await openNatsStore({
    connect: () => dialNats({ servers: url }),
    name: `bench-${String(process.pid)}`,
    monitors: [monitor],
    durability: 'synced',
  })
  return {
    store: shareSagas(own, shared),
    durability() {
      const { brokerVersion, syncsEachWrite } = shared.facts()
      return `JetStream ${brokerVersion}: sync_always ${String(syncsEachWrite)}`
    },
  }
}

function describeSqlite(store: SqliteStore): string {
  const { sqliteVersion, journalMode, syncsEachCommit } = store.facts()
  return `SQLite ${sqliteVersion}: journal_mode ${journalMode}, each commit synced ${String(syncsEachCommit)}`
}
