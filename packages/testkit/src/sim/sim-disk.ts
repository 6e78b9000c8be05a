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
  /** Decides of each thing that is asked of the disk whether it fails; by default nothing does. */
  readonly failure?: () => SimDiskFailure | undefined
}

/**
 * How a disk that is far away fails: it is not reached, which is a definite no (`store.unavailable`), or it does what it is
 * asked and the answer is lost (`store.outcome-unknown`). Of what only reads, the second is the first.
 */
export type SimDiskFailure = 'unreached' | 'unanswered'

/** The longest that a disk takes for one thing, in milliseconds. */
const slowestMs = 4

/** Creates an empty disk. */
export function createSimDisk({
  isPoint = () => false,
  onAppend,
  failure = () => undefined,
}: SimDiskOptions = {}): SimDisk {
  const streams = new Map<string, SimEntry[]>()
  const values = new Map<string, KeyValueEntry>()
  /** How many entries were removed from the beginning of a stream. */
  const removed = new Map<string, number>()
  const lastOf = (stream: string): number => (removed.get(stream) ?? 0) + (streams.get(stream)?.length ?? 0)
  const read = (stream: string, from: number, limit: number): readonly JournalEntry[] => {
    const before = removed.get(stream) ?? 0
    const skipped = Math.max(0, from - 1 - before)
    const kept = (streams.get(stream) ?? []).slice(skipped, skipped + limit)
    return kept.map(({ data }, at) => ({ position: before + skipped + at + 1, data }))
  }
  return {
    streams,
    open(process) {
      const wait = <Result>(work: () => Result): Promise<Result> =>
        process.wait(process.random.float() * slowestMs, work)
      const change = <Result>(work: () => Result): Promise<Result> => {
        const failed = failure()
        if (failed === undefined) return wait(work)
        process.note(`is not answered by its store (${failed})`)
        return wait(() => {
          if (failed === 'unreached') throw new MeshError('store.unavailable', 'the store is not reached')
          work()
          throw new MeshError('store.outcome-unknown', 'the store does not answer')
        })
      }
      const look = <Result>(work: () => Result): Promise<Result> => {
        if (failure() === undefined) return wait(work)
        return wait(() => {
          throw new MeshError('store.unavailable', 'the store is not reached')
        })
      }
      const write = async (
        stream: string,
        expectedLast: number,
        data: readonly Uint8Array[],
        removesBefore: boolean,
      ): Promise<number> => {
        if (isPoint(stream)) await process.pass(`before it writes to ${stream}`)
        const last = await change(() => {
          const was = lastOf(stream)
          if (was !== expectedLast)
            throw new MeshError('store.position-conflict', `${stream} is at ${was}, not ${expectedLast}`)
          const entries = data.map((bytes): SimEntry => ({ data: bytes.slice(), by: process.id }))
          streams.set(stream, removesBefore ? entries : [...(streams.get(stream) ?? []), ...entries])
          if (removesBefore) removed.set(stream, was)
          onAppend?.(stream, entries, was + 1)
          return lastOf(stream)
        })
        if (isPoint(stream)) await process.pass(`after it wrote to ${stream}`)
        await wait(() => undefined)
        return last
      }
      return {
        kind: 'sim',
        journal: {
          append: (stream, expectedLast, data) => write(stream, expectedLast, data, false),
          compact: (stream, expectedLast, data) => write(stream, expectedLast, data, true),
          read: (stream, from = 1, limit = Infinity) => look(() => read(stream, from, limit)),
          last: (stream) => look(() => lastOf(stream)),
          streams: (prefix) => look(() => [...streams.keys()].filter((name) => name.startsWith(prefix)).toSorted()),
        },
        keyValue: {
          get: (key) => look(() => values.get(key)),
          put: (key, value, expectedRevision) =>
            change(() => {
              const revision = values.get(key)?.revision ?? 0
              if (expectedRevision !== undefined && expectedRevision !== revision)
                throw new MeshError('store.revision-conflict', `${key} is at ${revision}, not ${expectedRevision}`)
              values.set(key, { key, value: value.slice(), revision: revision + 1 })
              return revision + 1
            }),
          delete: (key) =>
            change(() => {
              values.delete(key)
            }),
          list: (prefix) =>
            look(() =>
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
