import type { CancelTimer, Clock } from '@parley/ports'
import type { SagaFeed } from './saga-feed.ts'

// I1 Of a saga that waits for somebody its process keeps what wakes it, and nothing that its journal has.
// I2 While anybody holds its feed, it is the one feed of the saga; while anybody waits on that, it is kept for them.
// I3 A wake too early only looks at the clock again; none comes too late, however the clock jumps, by more than an hour.

/** The sagas of a process that wait for a signal, a time or a human: each an index entry, not a live saga. */
export interface ParkedSagas {
  readonly size: number
  has(id: string): boolean
  /** Keeps a saga until it is taken, or until `wakeAtMs` (wall time), when it is told to `onDue`. */
  park(id: string, feed: SagaFeed, wakeAtMs: number | undefined): void
  /** Forgets a saga, and hands over its feed where somebody holds that still. */
  take(id: string): SagaFeed | undefined
  /** Ends the feeds that somebody holds, and forgets everything. */
  close(error: (id: string) => Error): void
}

/** The longest timer: the wall clock may be set anew meanwhile. */
const maxSleepMs = 60 * 60 * 1000

interface Entry {
  readonly feed: WeakRef<SagaFeed>
  /** The same, while somebody waits on it: a promise that only the feed can settle does not keep the feed alive. */
  watched: SagaFeed | undefined
  readonly wakeAtMs: number | undefined
  cancel: CancelTimer | undefined
}

/** Creates an empty index. */
export function createParkedSagas(clock: Clock, onDue: (id: string) => void): ParkedSagas {
  const entries = new Map<string, Entry>()

  const sleep = (id: string, entry: Entry): void => {
    const { wakeAtMs } = entry
    if (wakeAtMs === undefined) return
    const leftMs = wakeAtMs - clock.now()
    entry.cancel = clock.setTimer(
      () => {
        entry.cancel = undefined
        if (clock.now() >= wakeAtMs) onDue(id)
        else sleep(id, entry)
      },
      Math.min(maxSleepMs, Math.max(0, leftMs)),
    )
  }
  return {
    get size() {
      return entries.size
    },
    has: (id) => entries.has(id),
    park(id, feed, wakeAtMs) {
      const entry: Entry = { feed: new WeakRef(feed), watched: undefined, wakeAtMs, cancel: undefined }
      entries.set(id, entry)
      feed.whenWatched((watched) => {
        entry.watched = watched
      })
      sleep(id, entry)
    },
    take(id) {
      const entry = entries.get(id)
      entries.delete(id)
      entry?.cancel?.()
      const feed = entry?.feed.deref()
      feed?.whenWatched(undefined)
      return feed
    },
    close(error) {
      for (const [id, { feed, cancel }] of entries) {
        cancel?.()
        feed.deref()?.stop(error(id))
      }
      entries.clear()
    },
  }
}
