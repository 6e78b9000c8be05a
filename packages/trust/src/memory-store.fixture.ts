import type { JournalEntry, KeyValueEntry, Store } from '@parley/ports'
import { MeshError } from '@parley/protocol'

/** A store in memory whose next writes can be made to fail. */
export interface MemoryStore extends Store {
  /** Every write of any kind so far. */
  readonly writes: number
  /** The next append fails, and does nothing. */
  failNext(error: MeshError): void
  /** Every write after `writes` ones fails, as if the process had ended there. */
  crashAfter(writes: number): void
  /** Puts bytes into a stream as they are. */
  plant(stream: string, data: Uint8Array): void
  /** Takes the last entries of a stream away. */
  cut(stream: string, count: number): void
  /** Another store that holds the same. */
  copy(): MemoryStore
}

/** Creates an empty store. */
export function createMemoryStore(): MemoryStore {
  return build(new Map(), new Map())
}

function build(streams: Map<string, JournalEntry[]>, values: Map<string, KeyValueEntry>): MemoryStore {
  const failures: MeshError[] = []
  let writes = 0
  let crashAt = Number.POSITIVE_INFINITY
  const of = (stream: string): JournalEntry[] => {
    const entries = streams.get(stream) ?? []
    streams.set(stream, entries)
    return entries
  }
  const write = <Result>(apply: () => Result): Promise<Result> => {
    if (writes >= crashAt) return Promise.reject(new MeshError('store.closed', 'the process ended here'))
    writes++
    return Promise.resolve(apply())
  }
  const lastOf = (stream: string): number => of(stream).at(-1)?.position ?? 0
  const add = (
    stream: string,
    expectedLast: number,
    entries: readonly Uint8Array[],
    removesBefore: boolean,
  ): Promise<number> => {
    const failure = failures.shift()
    if (failure !== undefined) return Promise.reject(failure)
    if (lastOf(stream) !== expectedLast)
      return Promise.reject(new MeshError('store.position-conflict', 'another writer appended'))
    return write(() => {
      const known = of(stream)
      const added = entries.map((data, at) => ({ position: expectedLast + at + 1, data: data.slice() }))
      known.splice(0, removesBefore ? known.length : 0)
      known.push(...added)
      return lastOf(stream)
    })
  }
  return {
    kind: 'memory',
    get writes() {
      return writes
    },
    failNext: (error) => failures.push(error),
    crashAfter(count) {
      crashAt = count
    },
    plant(stream, data) {
      of(stream).push({ position: lastOf(stream) + 1, data })
    },
    cut(stream, count) {
      of(stream).splice(-count, count)
    },
    copy: () => build(new Map([...streams].map(([name, entries]) => [name, [...entries]])), new Map(values)),
    journal: {
      append: (stream, expectedLast, entries) => add(stream, expectedLast, entries, false),
      compact: (stream, expectedLast, entries) => add(stream, expectedLast, entries, true),
      read: (stream, from = 1, limit = Number.POSITIVE_INFINITY) =>
        Promise.resolve(
          of(stream)
            .filter(({ position }) => position >= from)
            .slice(0, limit),
        ),
      last: (stream) => Promise.resolve(lastOf(stream)),
      streams: (prefix) => Promise.resolve([...streams.keys()].filter((name) => name.startsWith(prefix)).sort()),
    },
    keyValue: {
      get: (key) => Promise.resolve(values.get(key)),
      put: (key, value) =>
        write(() => {
          const revision = (values.get(key)?.revision ?? 0) + 1
          values.set(key, { key, value: value.slice(), revision })
          return revision
        }),
      delete: (key) => write(() => void values.delete(key)),
      list: (prefix) =>
        Promise.resolve(
          [...values.values()].filter(({ key }) => key.startsWith(prefix)).sort((a, b) => (a.key < b.key ? -1 : 1)),
        ),
    },
    close: () => Promise.resolve(),
  }
}
