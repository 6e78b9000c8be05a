import type { JournalEntry, KeyValueEntry, Store } from '@parley/ports'
import { MeshError } from '@parley/protocol'

/** A store in memory whose streams a test can read and damage. */
export interface MemoryStore extends Store {
  readonly streams: Map<string, Uint8Array[]>
  /** How often `append` succeeded. */
  appends(): number
  /** What is in it now, for another store to begin with. */
  contents(): MemoryContents
}

/** What a store in memory holds. */
export interface MemoryContents {
  readonly streams: ReadonlyMap<string, Uint8Array[]>
  readonly values: ReadonlyMap<string, KeyValueEntry>
}

/** Creates a store with the conflict rules of the port, empty unless it begins with the contents of another. */
export function createMemoryStore(begun?: MemoryContents): MemoryStore {
  const streams = new Map(begun?.streams)
  let appends = 0
  const values = new Map(begun?.values)
  return {
    kind: 'memory',
    streams,
    appends: () => appends,
    contents: () => ({ streams: new Map(streams), values: new Map(values) }),
    journal: {
      async append(stream, expectedLast, entries) {
        const list = streams.get(stream) ?? []
        if (list.length !== expectedLast)
          throw new MeshError('store.position-conflict', `${stream} is at ${list.length}, not ${expectedLast}`)
        streams.set(stream, [...list, ...entries])
        appends++
        return list.length + entries.length
      },
      async read(stream, from = 1, limit = Infinity): Promise<readonly JournalEntry[]> {
        const list = streams.get(stream) ?? []
        return list.map((data, at) => ({ position: at + 1, data })).slice(from - 1, from - 1 + limit)
      },
      last: async (stream) => streams.get(stream)?.length ?? 0,
      streams: async (prefix) => [...streams.keys()].filter((name) => name.startsWith(prefix)).toSorted(),
    },
    keyValue: {
      get: async (key) => values.get(key),
      async put(key, value, expected) {
        const revision = values.get(key)?.revision ?? 0
        if (expected !== undefined && expected !== revision)
          throw new MeshError('store.revision-conflict', `${key} is at ${revision}, not ${expected}`)
        values.set(key, { key, value, revision: revision + 1 })
        return revision + 1
      },
      async delete(key) {
        values.delete(key)
      },
      list: async (prefix) => [...values.values()].filter(({ key }) => key.startsWith(prefix)),
    },
    close: async () => undefined,
  }
}
