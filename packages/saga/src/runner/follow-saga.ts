import type { Clock } from '@parley/ports'
import type { SagaJournal } from '../journal/saga-journal.ts'
import { isEnded } from '../kernel/saga-state.ts'
import type { SagaFeed } from './saga-feed.ts'

// I1 A saga is followed as long as anybody holds its feed, or waits on it, and no longer.

/** How often a saga that another process drives is looked at: soon enough for a person, rare enough for a store. */
const followEveryMs = 500

/** A saga that another process drives, as this one follows it. */
export interface FollowedSaga {
  /** The feed, while anybody has use for it. */
  feed(): SagaFeed | undefined
  stop(error: Error): void
}

/** Follows a saga until it ends, until nobody has use for its feed, or until it is stopped; `ended` is told the first two. */
export function followSaga(first: SagaFeed, journal: SagaJournal, clock: Clock, ended: () => void): FollowedSaga {
  const held = new WeakRef(first)
  /** The same, while somebody waits on it: a promise that only the feed can settle does not keep the feed alive. */
  let watched: SagaFeed | undefined
  let cancelTimer = (): void => undefined
  const look = async (): Promise<void> => {
    const feed = held.deref()
    if (!feed) return ended()
    try {
      const entries = await journal.read()
      watched = undefined
      feed.push(entries)
    } catch (error) {
      feed.stop(error instanceof Error ? error : new Error('the journal could not be read', { cause: error }))
    }
    schedule(feed)
  }
  const schedule = (feed: SagaFeed): void => {
    if (feed.stopped || isEnded(feed.state)) return ended()
    // Who was woken by the push and waits again says so in a moment.
    feed.whenWatched((again) => {
      watched = again
    })
    cancelTimer = clock.setTimer(() => void look(), followEveryMs)
  }
  schedule(first)
  return {
    feed: () => watched ?? held.deref(),
    stop(error) {
      cancelTimer()
      held.deref()?.stop(error)
    },
  }
}
