import type { Clock, Hash, Logger, Signer, Store } from '@parley/ports'
import { isMeshError, type SignatureCheck } from '@parley/protocol'
import { countPieces, nameBatch, readBatch, splitEntry, type ReadBatch } from './evidence-batch.ts'
import { createLedgerFold, maxAheadMs, type FoldedPieces, type LedgerFold } from './ledger-fold.ts'
import { createLedgerWriter, type LedgerWriter, type OwnBatch, type StreamEnd } from './ledger-writer.ts'
import type { BehaviourMonitor } from './behaviour-monitor.ts'
import { maxLateMs } from './late-window.ts'
import { ownerOf } from './peer-key.ts'
import { replayStream } from './replay-stream.ts'
import { createSnapshots, rememberCursor, type RaterCursor } from './snapshot.ts'
import type { TrustModel } from './trust-model.ts'

/** What `openLedgerKeeper` needs. */
export interface LedgerKeeperOptions {
  readonly store: Store
  readonly stream: string
  readonly rater: string
  /** Without it nothing is written. */
  readonly signer: Signer | undefined
  readonly verify: SignatureCheck
  readonly hash: Hash
  readonly model: TrustModel
  readonly clock: Clock
  readonly logger: Logger
  readonly maxPeers: number
  /** Folds the whole stream, whatever pages say. Only without a signer. */
  readonly isRecomputed: boolean
  readonly isShared: boolean
  /** Tells whether an anchor vouches for a peer. */
  readonly isVouched: (peer: string) => boolean
  readonly monitor: BehaviourMonitor
  /** Called with the evidence of this node once it is durable, sealed. */
  readonly onDurable: (sealed: Uint8Array) => void
}

/**
 * Keeps the fold of a ledger in a store.
 *
 * I1 What is in the stream and what is in the pages never differ for longer than a crash: a page holds all evidence up to
 *    its place, the head says from where the stream has to be folded, and a page is written after the evidence in it.
 * I2 Memory holds `maxPeers` peers; the others are in their pages, and come back by `enter`.
 */
export interface LedgerKeeper {
  readonly fold: LedgerFold
  readonly writer: LedgerWriter | undefined
  cursors(): ReadonlyMap<string, RaterCursor>
  /** The rater's own count of evidence, written or not. */
  end(): StreamEnd
  /** Own evidence of this life that others can still take, oldest first. */
  shareable(): readonly SharedBatch[]
  /** The newest batches of before, for knowing their envelopes again. */
  readonly recent: readonly ReadBatch[]
  /** Returns the time for a piece of own evidence: that of the clock, but never before the piece before. */
  stampMs(): number
  /** Notes that the rater runs now, which is what idle time is counted by. */
  markRunning(): void
  /** Tells whether a peer may be kept but is not in memory: nothing can be said of it before `enter`. */
  isUnread(peer: string): boolean
  /** Brings a peer into memory; undefined if that takes no reading, because it is there or nothing is kept. */
  enter(peer: string): Promise<void> | undefined
  /** Where a newcomer starts. */
  startOf(peer: string): number
  /** Folds what another rater told and writes it down, unless nothing of it is taken. */
  takeBatch(batch: ReadBatch, sealed: Uint8Array): Promise<FoldedPieces>
  /** Writes changed pages and the head. */
  snapshot(): Promise<void>
  close(): Promise<void>
}

/** A batch that can be shared. */
export interface SharedBatch extends OwnBatch {
  readonly position: number
}

/** Where a peer starts for which an anchor vouches, and where any other does. */
const vouchedStartScore = 500
const strangerStartScore = 300
const entriesPerSnapshot = 5_000
const pagesPerWrite = 512
const recentEntries = 16

/** Opens a ledger and folds what is not in its pages yet. Rejects with `store.corrupt` for what does not hold together. */
export async function openLedgerKeeper(options: LedgerKeeperOptions): Promise<LedgerKeeper> {
  const { store, stream, rater, signer, verify, hash, model, clock, logger, maxPeers, isShared } = options
  const { isVouched, monitor } = options
  const { journal } = store
  const snapshots = createSnapshots(store.keyValue, stream, model.hash)
  const kept = await snapshots.readHead()
  const head = kept?.model === model.hash && !options.isRecomputed ? kept : undefined
  const startOf = (peer: string): number =>
    fold.book.startOf(peer, isVouched(peer) ? vouchedStartScore : strangerStartScore)
  const fold = createLedgerFold({ model, rater, startOf, isKnown: isVouched, isShared })
  const { book, window } = fold
  const openedAtMs = clock.now()
  const loads = new Map<string, Promise<void>>()
  const ownersRead = new Set<string>()
  /** Entries of this life by the time until which evidence in them may be. */
  let written: { readonly position: number; readonly atMs: number }[] = []
  let shareable: SharedBatch[] = []
  let end: StreamEnd = head?.end ?? { position: 0, seq: 0, lastEvidence: '', lastNotes: '' }
  let cursors = new Map((head?.cursors ?? []).map((cursor) => [cursor.rater, cursor]))
  let foldedPosition = head?.foldedPosition ?? 0
  let lastAtMs = head?.lastAtMs ?? 0
  let hasPages = head !== undefined
  let isReplaying = true
  let entriesSince = 0
  let snapshotting: Promise<void> | undefined
  let writer: LedgerWriter | undefined
  for (const [fromMs, toMs] of head?.runs ?? []) fold.runs.mark(fromMs, toMs)
  for (const note of head?.notes ?? []) fold.notes.take(note)

  const load = async (peer: string): Promise<void> => {
    const owner = ownerOf(peer)
    const [page, counts] = await Promise.all([
      snapshots.readPage(peer),
      ownersRead.has(owner) ? undefined : snapshots.readOwner(owner),
    ])
    if (!ownersRead.has(owner)) {
      ownersRead.add(owner)
      if (counts) book.owners.restore(book.ownerOf(peer), counts)
    }
    if (book.find(peer) !== undefined) return
    if (signer !== undefined && book.size() >= maxPeers && !book.evict()) {
      await (isReplaying ? writePages() : snapshot())
      if (book.find(peer) !== undefined || (book.size() >= maxPeers && !book.evict())) return
    }
    if (page?.behaviour !== undefined) monitor.restore(peer, page.behaviour)
    if (page !== undefined) book.restore(page)
    else if (!isReplaying) book.add(peer, startOf(peer), clock.now())
  }
  const enter = (peer: string): Promise<void> | undefined => {
    if (book.find(peer) !== undefined) return undefined
    if (!hasPages && (book.size() < maxPeers || signer === undefined)) return undefined
    const known = loads.get(peer)
    if (known !== undefined) return known
    const loading = load(peer).finally(() => loads.delete(peer))
    loads.set(peer, loading)
    return loading
  }
  const writePages = async (): Promise<void> => {
    const peers = book.takeChanged()
    const owners = new Map<string, readonly number[]>()
    let done = 0
    try {
      for (; done < peers.length; done += pagesPerWrite) {
        const chunk = peers.slice(done, done + pagesPerWrite)
        const pages = chunk.flatMap((peer) => {
          const page = book.beginWrite(peer)
          owners.set(ownerOf(peer), book.owners.countsOf(book.ownerOf(peer)))
          const base = window?.baseOf(peer)
          const kept = base === undefined ? page : base.page
          const behaviour = monitor.save(peer)
          return kept === undefined ? [] : [{ ...kept, ...(behaviour && { behaviour }) }]
        })
        // A page must not say what the stream does not.
        await writer?.flush()
        await snapshots.writePages(pages)
        hasPages = true
        for (const peer of chunk) book.endWrite(peer, window?.baseOf(peer) === undefined)
      }
      await snapshots.writeOwners(owners)
    } catch (error) {
      for (const peer of peers.slice(done)) book.endWrite(peer, false)
      throw error
    }
  }
  const takeSnapshot = async (): Promise<void> => {
    await writer?.flush()
    const nowMs = clock.now()
    if (writer !== undefined) fold.runs.mark(openedAtMs, nowMs)
    window?.settle(nowMs - maxLateMs)
    const unsettledMs = (window?.oldestMs() ?? Number.POSITIVE_INFINITY) - maxAheadMs
    const firstUnsettled = written.findIndex(({ atMs }) => atMs >= unsettledMs)
    const settled = firstUnsettled < 0 ? written : written.slice(0, firstUnsettled)
    if (window === undefined) foldedPosition = end.position
    else foldedPosition = settled.at(-1)?.position ?? foldedPosition
    written = written.slice(settled.length)
    entriesSince = 0
    const next = {
      model: model.hash,
      end,
      foldedPosition,
      runs: fold.runs.spans(),
      notes: fold.notes.list(nowMs),
      cursors: [...cursors.values()],
      lastAtMs: Math.max(lastAtMs, nowMs),
    }
    await writePages()
    await snapshots.writeHead(next)
  }
  const snapshot = (): Promise<void> => {
    snapshotting ??= takeSnapshot().finally(() => {
      snapshotting = undefined
    })
    return snapshotting
  }
  const snapshotSoon = (): void => {
    snapshot().catch((error: unknown) => {
      logger.error('trust.write-failed', { stream, ...(isMeshError(error) && { code: error.code }) })
    })
  }

  const replayed = await replayStream({
    journal,
    stream,
    rater,
    verify,
    hash,
    fromPosition: foldedPosition,
    end,
    cursors,
    onBatch: async (batch, entry, position) => {
      await fold.takeBatch(batch, entry, enter)
      if (batch.rater === rater) lastAtMs = Math.max(lastAtMs, batch.atMs)
      written.push({ position, atMs: entry.arrivedAtMs })
    },
  })
  entriesSince = replayed.end.position - foldedPosition
  ;({ end, cursors } = replayed)
  isReplaying = false
  const first = Math.max(1, end.position - recentEntries + 1)
  const recent = (await journal.read(stream, first, recentEntries)).flatMap(
    ({ data, position }) => readBatch(splitEntry(data, position).sealed, hash) ?? [],
  )
  if (signer !== undefined)
    writer = createLedgerWriter({
      journal,
      stream,
      end,
      rater,
      signer,
      modelHash: model.hash,
      openedAtMs,
      lastAtMs: () => lastAtMs,
      clock,
      hash,
      logger,
      onWritten: (reached, entries) => {
        end = reached
        entriesSince += entries.length
        for (const [at, { own, bytes }] of entries.entries()) {
          if (own === undefined) continue
          if (isShared) shareable.push({ ...own, position: reached.position - entries.length + 1 + at })
          options.onDurable(splitEntry(bytes, 0).sealed)
        }
        if (window !== undefined) written.push({ position: reached.position, atMs: clock.now() })
        if (snapshotting === undefined && (entriesSince >= entriesPerSnapshot || book.changedCount() > maxPeers / 2))
          snapshotSoon()
      },
    })
  return {
    fold,
    writer,
    recent,
    enter,
    startOf,
    snapshot,
    cursors: () => cursors,
    end: () => end,
    shareable() {
      const oldestMs = clock.now() - maxLateMs
      const isLate = shareable.findIndex(({ atMs }) => atMs >= oldestMs)
      shareable = isLate < 0 ? [] : shareable.slice(isLate)
      return shareable
    },
    stampMs() {
      lastAtMs = Math.max(lastAtMs, clock.now())
      fold.runs.mark(openedAtMs, lastAtMs)
      return lastAtMs
    },
    markRunning() {
      if (writer !== undefined) fold.runs.mark(openedAtMs, clock.now())
    },
    isUnread: (peer) => hasPages && book.find(peer) === undefined,
    async takeBatch(batch, sealed) {
      const arrivedAtMs = clock.now()
      const folded = await fold.takeBatch(batch, { arrivedAtMs, openedAtMs }, enter)
      const { rater: from, first: firstSeq, pieces } = batch
      rememberCursor(cursors, { rater: from, seq: firstSeq + countPieces(pieces) - 1, last: nameBatch(batch.hash) })
      if (folded.taken > 0) writer?.addSealed(sealed, arrivedAtMs)
      return folded
    },
    async close() {
      writer?.stop()
      await writer?.flush()
      if (writer !== undefined) await snapshot()
    },
  }
}
