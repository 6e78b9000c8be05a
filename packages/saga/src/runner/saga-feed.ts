import type { JournaledEvent } from '../journal/journal-format.ts'
import { foldSaga } from '../kernel/fold-saga.ts'
import { isEnded, type SagaState } from '../kernel/saga-state.ts'

/** What is durable of one saga, as it grows: written by whoever drives or follows it, read by runs. */
export interface SagaFeed {
  readonly events: readonly JournaledEvent[]
  /** The fold of the events. */
  readonly state: SagaState
  /** Why nothing more comes although the saga has not ended. */
  readonly stopped: Error | undefined
  /** Adds what became durable. `next` is its fold, where the writer has it already. */
  push(entries: readonly JournaledEvent[], next?: SagaState): void
  stop(error: Error): void
  /** Resolves at the next change; at once if nothing more can come. */
  changed(): Promise<void>
  /** Tells who holds the feed weakly, once, that somebody waits for a change: now, or as soon as somebody does. */
  whenWatched(told: ((feed: SagaFeed) => void) | undefined): void
}

type Growing = Omit<SagaFeed, 'state' | 'stopped'> & { state: SagaState; stopped: Error | undefined }

/** Creates a feed from the events so far, which begin with `started`, and their fold, where it is known already. */
export function createSagaFeed(first: readonly JournaledEvent[], begun?: SagaState): SagaFeed {
  let waiting: (() => void)[] = []
  let watched: ((feed: SagaFeed) => void) | undefined
  const wake = (): void => {
    const woken = waiting
    waiting = []
    for (const resolve of woken) resolve()
  }
  const events = [...first]
  const feed: Growing = {
    events,
    state: begun ?? foldSaga(first.map(({ event }) => event)),
    stopped: undefined,
    push(entries, next) {
      events.push(...entries)
      feed.state =
        next ??
        foldSaga(
          entries.map(({ event }) => event),
          feed.state,
        )
      wake()
    },
    stop(error) {
      feed.stopped ??= error
      wake()
    },
    changed() {
      if (feed.stopped || isEnded(feed.state)) return Promise.resolve()
      watched?.(feed)
      watched = undefined
      return new Promise<void>((resolve) => waiting.push(resolve))
    },
    whenWatched(told) {
      watched = told
      if (waiting.length === 0 || !told) return
      watched = undefined
      told(feed)
    },
  }
  return feed
}
