import type { Clock } from '@parley/ports'
import type { SagaJournal } from '../journal/saga-journal.ts'
import { isEnded } from '../kernel/saga-state.ts'
import type { SagaFeed } from './saga-feed.ts'

/** How often a saga that another process drives is looked at: soon enough for a person, rare enough for a store. */
const followEveryMs = 500

/** Follows a saga that another process drives, until it ends or the returned function is called. */
export function followSaga(
  feed: SagaFeed,
  journal: SagaJournal,
  clock: Clock,
  ended: () => void,
): (error: Error) => void {
  let cancelTimer = (): void => undefined
  const look = async (): Promise<void> => {
    try {
      feed.push(await journal.read())
    } catch (error) {
      feed.stop(error instanceof Error ? error : new Error('the journal could not be read', { cause: error }))
    }
    schedule()
  }
  const schedule = (): void => {
    if (feed.stopped || isEnded(feed.state)) ended()
    else cancelTimer = clock.setTimer(() => void look(), followEveryMs)
  }
  schedule()
  return (error) => {
    cancelTimer()
    feed.stop(error)
  }
}
