import type { CancelTimer, Clock, Hash, Journal, Logger, Signer } from '@parley/ports'
import { isMeshError, MeshError, signingDomains } from '@parley/protocol'
import {
  countPieces,
  formatBatch,
  formatEntry,
  nameBatch,
  sealBatch,
  type EvidenceBatch,
  type EvidencePieces,
} from './evidence-batch.ts'
import { createBatches, maxBatch, type PendingPieces } from './pending-pieces.ts'
import type { Sight } from './sight.ts'
import type { TrustNote } from './trust-note.ts'

/**
 * Signs what a rater saw in batches and appends them to its stream.
 *
 * I1 Evidence is written in the order of its count, each piece once. Evidence and notes have batches of their own, so that
 *    evidence can be shared without notes.
 * I2 After an error that waiting does not mend (another writer, a corrupt store) nothing is written any more.
 * I3 A batch is signed once: what a failed append leaves is appended again as it is.
 */
export interface LedgerWriter {
  /** Why nothing more is taken: the store is gone, or too much waits for it. */
  refusal(): string | undefined
  /** Adds a piece about a peer. `handle` finds the peer again soon. */
  addPiece(
    peer: string,
    handle: number,
    capability: string,
    sight: Sight,
    atMs: number,
    envelope: string,
    start: number | undefined,
  ): void
  addNote(note: TrustNote): void
  /** Adds what another rater signed, as it is. */
  addSealed(sealed: Uint8Array, arrivedAtMs: number): void
  /** Resolves when everything added before is durable. Rejects with the error of store or signer. */
  flush(): Promise<void>
  /** Stops the timers. */
  stop(): void
}

/** Where the stream ends, as far as the next entry depends on it. */
export interface StreamEnd {
  readonly position: number
  /** The rater's own count of evidence so far. */
  readonly seq: number
  /** Names of the rater's last batches of evidence and of notes. */
  readonly lastEvidence: string
  readonly lastNotes: string
}

/** An entry as it is in the stream. */
export interface SealedEntry {
  readonly bytes: Uint8Array
  /** How many records it counts as while it waits: its pieces and notes, or what is sealed by its size. */
  readonly count: number
  /** Of own evidence: its place in the rater's stream. */
  readonly own: OwnBatch | undefined
}

/** Where a batch of own evidence is in the count of its rater. */
export interface OwnBatch {
  readonly first: number
  readonly last: number
  /** The name of the batch before. */
  readonly previous: string
  readonly atMs: number
}

/** What `createLedgerWriter` needs. */
export interface LedgerWriterOptions {
  readonly journal: Journal
  readonly stream: string
  readonly end: StreamEnd
  readonly rater: string
  readonly signer: Signer
  readonly modelHash: string
  readonly openedAtMs: number
  /** The time of the newest evidence, which may be ahead of a clock that was set back. */
  readonly lastAtMs: () => number
  readonly clock: Clock
  readonly hash: Hash
  readonly logger: Logger
  /** Called with the end of the stream after entries became durable. */
  readonly onWritten: (end: StreamEnd, entries: readonly SealedEntry[]) => void
}

const noPieces: EvidencePieces = { peers: [], capabilities: [], sights: [], rows: [], starts: {}, envelopes: '' }

/** The score is in memory at once: what waits is only lost to a crash, and a longer wait is fewer transactions. */
const batchDelayMs = 100
const retryDelayMs = 1_000
const maxPending = 20_000
/** Others choose how large their batches are: by this many bytes each counts among the records that wait. */
const sealedBytesPerRecord = 1_024
/** A crash of a silent node loses at most this much of the time that it ran. */
const aliveMs = 3_600_000

/** Creates a writer that flushes by itself soon after something was added and tries again while the store cannot write. */
export function createLedgerWriter(options: LedgerWriterOptions): LedgerWriter {
  const { journal, stream, rater, signer, modelHash, openedAtMs, lastAtMs, clock, hash, logger, onWritten } = options
  let { position, seq, lastEvidence, lastNotes } = options.end
  const full: PendingPieces[] = []
  const startBatch = createBatches()
  let open = startBatch()
  let notes: TrustNote[] = []
  let entries: SealedEntry[] = []
  let pendingCount = 0
  let isAliveDue = false
  let running: Promise<void> | undefined
  let broken: MeshError | undefined
  let cancelTimer: CancelTimer | undefined
  let cancelAlive: CancelTimer | undefined

  const seal = async (batch: Pick<EvidenceBatch, 'first' | 'previous' | 'pieces' | 'notes'>): Promise<string> => {
    const atMs = Math.max(clock.now(), lastAtMs())
    const text = formatBatch({ rater, did: signer.did, model: modelHash, atMs, ...batch })
    const digest = hash(text)
    const sealed = sealBatch(text, await signer.sign(signingDomains.evidence, digest))
    const bytes = formatEntry({ arrivedAtMs: atMs, openedAtMs, sealed })
    const count = countPieces(batch.pieces)
    const { first, previous } = batch
    const own = count > 0 ? { first, last: first + count - 1, previous, atMs } : undefined
    entries.push({ bytes, count: count + batch.notes.length, own })
    return nameBatch(digest)
  }
  /** Turns what waits into signed entries. */
  const sealAll = async (): Promise<void> => {
    if (open.count() > 0) {
      full.push(open)
      open = startBatch()
    }
    for (let next = full[0]; next !== undefined; next = full[0]) {
      const pieces = next.pieces()
      lastEvidence = await seal({ first: seq + 1, previous: lastEvidence, pieces, notes: [] })
      seq += countPieces(pieces)
      full.shift()
    }
    if (notes.length === 0 && !isAliveDue) return
    const told = notes
    lastNotes = await seal({ first: seq + 1, previous: lastNotes, pieces: noPieces, notes: told })
    notes = notes.slice(told.length)
    isAliveDue = false
  }
  const writeAll = async (): Promise<void> => {
    try {
      while (entries.length + full.length + open.count() + notes.length > 0 || isAliveDue) {
        await sealAll()
        const batch = entries
        const appended = batch.map(({ bytes }) => bytes)
        position = await journal.append(stream, position, appended)
        entries = entries.slice(batch.length)
        pendingCount -= batch.reduce((sum, { count }) => sum + count, 0)
        onWritten({ position, seq, lastEvidence, lastNotes }, batch)
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
    if (running !== undefined) return running.then(flush)
    if (entries.length + full.length + open.count() + notes.length === 0 && !isAliveDue) return Promise.resolve()
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
  const scheduleAlive = (): void => {
    cancelAlive = clock.setTimer(() => {
      isAliveDue = true
      schedule(batchDelayMs)
      scheduleAlive()
    }, aliveMs)
  }
  scheduleAlive()
  return {
    refusal() {
      if (broken !== undefined) return `the store refuses to be written (${broken.code})`
      return pendingCount >= maxPending ? 'too many records wait for the store' : undefined
    },
    addPiece(peer, handle, capability, sight, atMs, envelope, start) {
      open.add(peer, handle, capability, sight, atMs, envelope, start)
      pendingCount++
      if (open.count() >= maxBatch) {
        full.push(open)
        open = startBatch()
      }
      schedule(batchDelayMs)
    },
    addNote(note) {
      notes.push(note)
      pendingCount++
      schedule(batchDelayMs)
    },
    addSealed(sealed, arrivedAtMs) {
      const count = Math.ceil(sealed.length / sealedBytesPerRecord)
      entries.push({ bytes: formatEntry({ arrivedAtMs, openedAtMs, sealed }), count, own: undefined })
      pendingCount += count
      schedule(batchDelayMs)
    },
    flush,
    stop() {
      cancelTimer?.()
      cancelAlive?.()
      cancelTimer = undefined
    },
  }
}
