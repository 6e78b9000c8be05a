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
  /** How many entries were removed from the beginning of a stream. */
  readonly removed: ReadonlyMap<string, number>
  readonly values: ReadonlyMap<string, KeyValueEntry>
}

/** Creates a store with the conflict rules of the port, empty unless it begins with the contents of another. */
export function createMemoryStore(begun?: MemoryContents): MemoryStore {
  const streams = new Map(begun?.streams)
  const removed = new Map(begun?.removed)
  let appends = 0
  const lastOf = (stream: string): number => (removed.get(stream) ?? 0) + (streams.get(stream)?.length ?? 0)
  const add = (
    stream: string,
    expectedLast: number,
    entries: readonly Uint8Array[],
    removesBefore: boolean,
  ): number => {
    if (lastOf(stream) !== expectedLast)
      throw new MeshError('store.position-conflict', `${stream} is at ${lastOf(stream)}, not ${expectedLast}`)
    streams.set(stream, removesBefore ? [...entries] : [...(streams.get(stream) ?? []), ...entries])
    if (removesBefore) removed.set(stream, expectedLast)
    appends++
    return lastOf(stream)
  }
  const values = new Map(begun?.values)
  return {
    kind: 'memory',
    streams,
    appends: () => appends,
    contents: () => ({ streams: new Map(streams), removed: new Map(removed), values: new Map(values) }),
    journal: {
      append: async (stream, expectedLast, entries) => add(stream, expectedLast, entries, false),
      compact: async (stream, expectedLast, entries) => add(stream, expectedLast, entries, true),
      async read(stream, from = 1, limit = Infinity): Promise<readonly JournalEntry[]> {
        const before = removed.get(stream) ?? 0
        const list = (streams.get(stream) ?? []).map((data, at) => ({ position: before + at + 1, data }))
        const skipped = Math.max(0, from - 1 - before)
        return list.slice(skipped, skipped + limit)
      },
      last: async (stream) => lastOf(stream),
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
