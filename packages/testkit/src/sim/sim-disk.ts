import type { JournalEntry, KeyValueEntry, Store } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { SimProcess } from './sim-process.ts'

/** One entry as it stands on the disk, with the life that wrote it. */
export interface SimEntry {
  readonly data: Uint8Array
  readonly by: string
}

/**
 * What survives the processes that use it. A write is on the disk a moment after it was asked for, all or nothing, and told a
 * moment later: a process that dies before the first moment has not written, between the two it has and does not know.
 */
export interface SimDisk {
  readonly streams: ReadonlyMap<string, readonly SimEntry[]>
  /** Opens the disk for one life of a process. Any number may have it open. */
  open(process: SimProcess): Store
}

/** How a disk is watched. */
export interface SimDiskOptions {
  /** Whether the writes of a stream are points at which a process may die. */
  readonly isPoint?: (stream: string) => boolean
  /** Sees what was written, the moment it is on the disk. */
  readonly onAppend?: (stream: string, entries: readonly SimEntry[], from: number) => void
}

/** The longest that a disk takes for one thing, in milliseconds. */
const slowestMs = 4

/** Creates an empty disk. */
export function createSimDisk({ isPoint = () => false, onAppend }: SimDiskOptions = {}): SimDisk {
  const streams = new Map<string, SimEntry[]>()
  const values = new Map<string, KeyValueEntry>()
  const read = (stream: string, from: number, limit: number): readonly JournalEntry[] =>
    (streams.get(stream) ?? []).slice(from - 1, from - 1 + limit).map(({ data }, at) => ({ position: from + at, data }))
  return {
    streams,
    open(process) {
      const soon = <Result>(work: () => Result): Promise<Result> =>
        process.wait(process.random.float() * slowestMs, work)
      return {
        kind: 'sim',
        journal: {
          async append(stream, expectedLast, data) {
            if (isPoint(stream)) await process.pass(`before it writes to ${stream}`)
            const last = await soon(() => {
              const list = streams.get(stream) ?? []
              if (list.length !== expectedLast)
                throw new MeshError('store.position-conflict', `${stream} is at ${list.length}, not ${expectedLast}`)
              const entries = data.map((bytes): SimEntry => ({ data: bytes.slice(), by: process.id }))
              streams.set(stream, [...list, ...entries])
              onAppend?.(stream, entries, list.length + 1)
              return list.length + entries.length
            })
            if (isPoint(stream)) await process.pass(`after it wrote to ${stream}`)
            await soon(() => undefined)
            return last
          },
          read: (stream, from = 1, limit = Infinity) => soon(() => read(stream, from, limit)),
          last: (stream) => soon(() => streams.get(stream)?.length ?? 0),
          streams: (prefix) => soon(() => [...streams.keys()].filter((name) => name.startsWith(prefix)).toSorted()),
        },
        keyValue: {
          get: (key) => soon(() => values.get(key)),
          put: (key, value, expectedRevision) =>
            soon(() => {
              const revision = values.get(key)?.revision ?? 0
              if (expectedRevision !== undefined && expectedRevision !== revision)
                throw new MeshError('store.revision-conflict', `${key} is at ${revision}, not ${expectedRevision}`)
              values.set(key, { key, value: value.slice(), revision: revision + 1 })
              return revision + 1
            }),
          delete: (key) =>
            soon(() => {
              values.delete(key)
            }),
          list: (prefix) =>
            soon(() =>
              [...values.values()]
                .filter(({ key }) => key.startsWith(prefix))
                .toSorted((left, right) => (left.key < right.key ? -1 : 1)),
            ),
        },
        close: () => Promise.resolve(),
      }
    },
  }
}
