import type { CancelTimer, Clock, Journal } from '@parley/ports'
import { isMeshError, MeshError } from '@parley/protocol'

/** What a commit queue is made of. */
export interface CommitQueueOptions<Item> {
  readonly clock: Clock
  readonly journal: Journal
  readonly stream: string
  /** Last position of the stream that this writer knows. */
  readonly position: number
  /** Packs items, in order, as one journal entry. Repeated for the same items when the write has to be. */
  readonly encode: (items: readonly Item[]) => Promise<Uint8Array>
}

/**
 * Writes items to a journal in batches and in order, one write at a time.
 *
 * I1. An item is written once, or the queue is broken: a refused write wrote nothing (Journal), so its batch is repeated.
 * I2. A write that cannot succeed later (another writer, a closed store) breaks the queue for good.
 */
export interface CommitQueue<Item> {
  /** Items that are not durable. */
  length(): number
  /** What broke the queue, if anything did. */
  failure(): MeshError | undefined
  push(item: Item): void
  /** Resolves when all that was pushed so far is durable; rejects with what hindered the write. */
  flush(): Promise<void>
  /** Cancels the pending timer. */
  stop(): void
}

/** A batch waits this long for company; with the write itself it is durable well within 50 ms. */
const commitDelayMs = 30
const maxRetryDelayMs = 1_000
/** More than this many wait for nobody: the store is behind, and its next write takes them at once. */
const maxBatchItems = 2_000

/** Creates an empty queue. */
export function createCommitQueue<Item>(options: CommitQueueOptions<Item>): CommitQueue<Item> {
  const { clock, journal, stream, encode } = options
  const waiting: Item[] = []
  let position = options.position
  let pushed = 0
  let durable = 0
  let failedWrites = 0
  let failure: MeshError | undefined
  let writing: Promise<void> | undefined
  let cancelTimer: CancelTimer | undefined

  const writeBatch = async (): Promise<void> => {
    const batch = waiting.slice(0, maxBatchItems)
    try {
      position = await journal.append(stream, position, [await encode(batch)])
      waiting.splice(0, batch.length)
      durable += batch.length
      failedWrites = 0
    } catch (error) {
      const known = isMeshError(error)
        ? error
        : new MeshError('store.write-failed', `the stream ${stream} could not be written`, { cause: error })
      failedWrites += 1
      if (known !== error || !known.retryable) failure = known
      throw known
    } finally {
      writing = undefined
      arm()
    }
  }
  const write = (): Promise<void> => (writing ??= writeBatch())
  const arm = (): void => {
    if (cancelTimer || waiting.length === 0 || failure) return
    const isBehind = waiting.length >= maxBatchItems && failedWrites === 0
    const delayMs = isBehind ? 0 : Math.min(maxRetryDelayMs, commitDelayMs * 2 ** failedWrites)
    cancelTimer = clock.setTimer(() => {
      cancelTimer = undefined
      // `writeBatch` keeps the failure, or keeps the batch and arms the next attempt.
      write().catch(() => undefined)
    }, delayMs)
  }

  return {
    length: () => pushed - durable,
    failure: () => failure,
    push(item) {
      waiting.push(item)
      pushed += 1
      arm()
    },
    async flush() {
      const target = pushed
      while (durable < target) {
        if (failure) throw failure
        await write()
      }
    },
    stop() {
      cancelTimer?.()
      cancelTimer = undefined
    },
  }
}
