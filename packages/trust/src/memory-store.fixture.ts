import type { JournalEntry, Store } from '@parley/ports'
import { MeshError } from '@parley/protocol'

/** A store in memory whose next appends can be made to fail. */
export interface MemoryStore extends Store {
  failNext(error: MeshError): void
  /** Puts bytes into a stream as they are. */
  plant(stream: string, data: Uint8Array): void
}

/** Creates an empty store with a journal; the ledger uses no key/value. */
export function createMemoryStore(): MemoryStore {
  const streams = new Map<string, JournalEntry[]>()
  const failures: MeshError[] = []
  const of = (stream: string): JournalEntry[] => {
    const entries = streams.get(stream) ?? []
    streams.set(stream, entries)
    return entries
  }
  const unused = (): Promise<never> => Promise.reject(new Error('the ledger uses no key/value'))
  return {
    kind: 'memory',
    failNext: (error) => failures.push(error),
    plant(stream, data) {
      of(stream).push({ position: of(stream).length + 1, data })
    },
    journal: {
      append(stream, expectedLast, entries) {
        const failure = failures.shift()
        if (failure !== undefined) return Promise.reject(failure)
        const known = of(stream)
        if (known.length !== expectedLast) {
          return Promise.reject(new MeshError('store.position-conflict', 'another writer appended'))
        }
        for (const data of entries) known.push({ position: known.length + 1, data })
        return Promise.resolve(known.length)
      },
      read: (stream, from = 1, limit = Number.POSITIVE_INFINITY) =>
        Promise.resolve(of(stream).slice(from - 1, from - 1 + limit)),
      last: (stream) => Promise.resolve(of(stream).length),
      streams: (prefix) => Promise.resolve([...streams.keys()].filter((name) => name.startsWith(prefix)).sort()),
    },
    keyValue: { get: unused, put: unused, delete: unused, list: unused },
    close: () => Promise.resolve(),
  }
}
