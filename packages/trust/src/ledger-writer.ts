import type { CancelTimer, Clock, Journal, Logger } from '@parley/ports'
import { isMeshError, MeshError } from '@parley/protocol'
import { encodeRecords, type LedgerRecord } from './ledger-record.ts'

/**
 * Appends records to a journal stream in batches.
 *
 * I1 Records are written in the order in which they were added, each once.
 * I2 After an error that waiting does not mend (another writer, a corrupt store) nothing is written any more.
 */
export interface LedgerWriter {
  /** Why nothing more is taken: the store is gone, or too much waits for it. */
  refusal(): string | undefined
  add(record: LedgerRecord): void
  /** Resolves when everything added before is durable. Rejects with the store's error. */
  flush(): Promise<void>
  /** Stops the timer. */
  stop(): void
}

/** What `createLedgerWriter` needs; `last` is the position of the last entry that was folded. */
export interface LedgerWriterOptions {
  readonly journal: Journal
  readonly stream: string
  readonly last: number
  readonly clock: Clock
  readonly logger: Logger
}

/** The score is in memory at once: what waits is only lost to a crash, and a longer wait is fewer transactions. */
const batchDelayMs = 100
const retryDelayMs = 1_000
const maxBatch = 500
const maxPending = 10_000

/** Creates a writer that flushes by itself soon after records were added and tries again while the store cannot write. */
export function createLedgerWriter({ journal, stream, last, clock, logger }: LedgerWriterOptions): LedgerWriter {
  let pending: LedgerRecord[] = []
  let position = last
  let running: Promise<void> | undefined
  let broken: MeshError | undefined
  let cancelTimer: CancelTimer | undefined

  const writeAll = async (): Promise<void> => {
    try {
      while (pending.length > 0) {
        const batch = pending.slice(0, maxBatch)
        position = await journal.append(stream, position, [encodeRecords(batch)])
        pending = pending.slice(batch.length)
      }
    } catch (cause) {
      const error = isMeshError(cause)
        ? cause
        : new MeshError('store.write-failed', 'The trust ledger could not be written', { cause })
      if (!error.retryable || !isMeshError(cause)) broken = error
      throw error
    } finally {
      running = undefined
    }
  }
  const flush = (): Promise<void> => {
    if (broken !== undefined) return Promise.reject(broken)
    if (running !== undefined) return running
    if (pending.length === 0) return Promise.resolve()
    running = writeAll()
    return running
  }
  const schedule = (delayMs: number): void => {
    cancelTimer ??= clock.setTimer(() => {
      cancelTimer = undefined
      flush().catch((error: unknown) => {
        logger.error('trust.write-failed', { stream, ...(isMeshError(error) && { code: error.code }) })
        if (broken === undefined) schedule(retryDelayMs)
      })
    }, delayMs)
  }
  return {
    refusal() {
      if (broken !== undefined) return `the store refuses to be written (${broken.code})`
      return pending.length >= maxPending ? 'too many records wait for the store' : undefined
    },
    add(record) {
      pending.push(record)
      schedule(batchDelayMs)
    },
    flush,
    stop() {
      cancelTimer?.()
      cancelTimer = undefined
    },
  }
}
