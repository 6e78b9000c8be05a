import { silentLogger, type Clock, type Logger, type Store } from '@parley/ports'
import { allowed, MeshError, refuse, type Refusal, type Verdict } from '@parley/protocol'
import { isEvidence, maxAheadMs, maxBehindMs, type Evidence } from './evidence.ts'
import { decodeRecords, isPin, isScore, type TrustPin } from './ledger-record.ts'
import { createLedgerWriter } from './ledger-writer.ts'
import { rowOf } from './outcome-table.ts'
import { createPeerBook, tellMovement, type PeerPage } from './peer-book.ts'
import { createRecentIds } from './recent-ids.ts'
import { createStanding, scoreAt, tierAt } from './standing.ts'
import { lowerTier, tierOf, type Tier } from './tier.ts'
import { adviseRaise, type TrustExplanation } from './trust-explanation.ts'

/** The score of a peer whose owner no anchor vouches for. */
export const defaultStartScore = 300

/** How many peers one ledger scores; further ones keep their start score. */
export const defaultMaxPeers = 100_000

/** A peer's trust at this moment. */
export interface TrustView {
  readonly score: number
  readonly tier: Tier
  readonly evidenceCount: number
}

/** What became of evidence: folded, about nobody, seen before, or refused with `trust.entry-refused`. */
export type Observation =
  | { readonly kind: 'taken'; readonly score: number; readonly tier: Tier }
  | { readonly kind: 'neutral' }
  | { readonly kind: 'duplicate' }
  | Refusal

/** A peer that left one tier for another. */
export interface TierChange {
  readonly peer: string
  readonly from: Tier
  readonly to: Tier
  readonly score: number
  readonly atMs: number
}

/** What `openTrustLedger` takes. */
export interface TrustLedgerOptions {
  readonly store: Store
  readonly clock: Clock
  /** The journal stream; default `trust`. One process writes a stream. */
  readonly stream?: string
  /**
   * Returns the score from 0 to 1000 that a peer without a record has: 500 under an anchor, `defaultStartScore` (the
   * default) without. Asked once a peer; the ledger keeps the answer.
   */
  readonly startScoreOf?: (peer: string) => number
  /** Called after evidence or a pin moved a peer to another tier. Must not throw. */
  readonly onTierChange?: (change: TierChange) => void
  readonly maxPeers?: number
  readonly logger?: Logger
}

/**
 * Keeps the trust of this node in its peers.
 *
 * I1 A score is a fold over the stream: opening it again gives the same scores.
 * I2 Scores are between 0 and 1000, and the lowest ceiling wins.
 * I3 Evidence is folded at once and written soon after; `flush` makes it durable.
 * I4 Memory is bounded: by `maxPeers`, by capabilities and movements a peer, by remembered ids and waiting records.
 */
export interface TrustLedger {
  observe(evidence: Evidence): Observation
  /** Returns score and tier, never above `ceiling`; with `capability` those of that capability once it has evidence. */
  view(peer: string, options?: { readonly ceiling?: number; readonly capability?: string }): TrustView
  explain(peer: string): TrustExplanation
  /** Holds a score, whatever the evidence says, until `untilMs`; a time that is over lifts the pin. On the record. */
  pin(peer: string, score: number, options: { readonly reason: string; readonly untilMs: number }): Verdict
  /** Resolves when everything so far is durable. Rejects with the error of the store. */
  flush(): Promise<void>
  /** Flushes and takes no more. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Far more than can be under way at once; every one of them costs the garbage collector. */
const rememberedIds = 10_000
const pageSize = 1_000

/** Opens the ledger of a store, folding what is there. Rejects with `store.corrupt` for an entry that is not one. */
export async function openTrustLedger(options: TrustLedgerOptions): Promise<TrustLedger> {
  const { store, clock, stream = 'trust', maxPeers = defaultMaxPeers, logger = silentLogger } = options
  const startOf = (peer: string): number => {
    const start = options.startScoreOf?.(peer) ?? defaultStartScore
    return isScore(start) ? start : 0
  }
  const book = createPeerBook()
  const ids = createRecentIds(rememberedIds)
  let last = 0
  for (;;) {
    const entries = await store.journal.read(stream, last + 1, pageSize)
    for (const { data, position } of entries) {
      for (const record of decodeRecords(data, position)) {
        book.fold(record)
        if (record.kind === 'evidence') ids.add(record.evidence.id)
      }
      last = position
    }
    if (entries.length < pageSize) break
  }
  const writer = createLedgerWriter({ journal: store.journal, stream, last, clock, logger })
  let closed = false

  const pageOf = (peer: string): PeerPage =>
    book.get(peer) ?? {
      overall: createStanding(startOf(peer), clock.now()),
      capabilities: new Map(),
      moved: [],
      pin: undefined,
    }
  const view: TrustLedger['view'] = (peer, { ceiling = 1000, capability } = {}) => {
    const page = pageOf(peer)
    const nowMs = clock.now()
    const standing = (capability === undefined ? undefined : page.capabilities.get(capability)) ?? page.overall
    const pinned = page.pin !== undefined && page.pin.untilMs > nowMs ? page.pin.score : undefined
    const score = pinned ?? scoreAt(standing, nowMs)
    const tier = pinned === undefined ? tierAt(standing, nowMs) : tierOf(pinned)
    const limit = isScore(ceiling) ? ceiling : 0
    return {
      score: Math.min(limit, score),
      tier: lowerTier(tier, tierOf(limit)),
      evidenceCount: standing.evidenceCount,
    }
  }
  const refusalFor = (peer: string): Refusal | undefined => {
    if (closed) throw new MeshError('store.closed', 'The trust ledger is closed')
    const full = book.get(peer) === undefined && book.size >= maxPeers
    const reason = full ? `the ledger holds ${String(maxPeers)} peers already` : writer.refusal()
    return reason === undefined ? undefined : refuse('trust.entry-refused', reason)
  }
  const startFor = (peer: string): { readonly start?: number } =>
    book.get(peer) === undefined ? { start: startOf(peer) } : {}
  const tellTierChange = (peer: string, from: Tier): TrustView => {
    const after = view(peer)
    if (after.tier !== from) {
      options.onTierChange?.({ peer, from, to: after.tier, score: after.score, atMs: clock.now() })
    }
    return after
  }

  const ledger: TrustLedger = {
    view,
    observe(evidence) {
      if (!isEvidence(evidence)) return refuse('trust.entry-refused', 'the evidence is malformed')
      const aheadMs = evidence.atMs - clock.now()
      if (aheadMs > maxAheadMs || -aheadMs > maxBehindMs) {
        return refuse('trust.entry-refused', `the evidence is ${String(aheadMs)} ms ahead of the clock`)
      }
      if (ids.has(evidence.id)) return { kind: 'duplicate' }
      const refusal = refusalFor(evidence.peer)
      if (refusal !== undefined) return refusal
      if (rowOf(evidence) === undefined) return { kind: 'neutral' }
      const before = view(evidence.peer).tier
      const record = { kind: 'evidence', ...startFor(evidence.peer), evidence } as const
      ids.add(evidence.id)
      book.fold(record)
      writer.add(record)
      const { score, tier } = tellTierChange(evidence.peer, before)
      return { kind: 'taken', score, tier }
    },
    explain(peer) {
      const page = pageOf(peer)
      return {
        ...view(peer),
        dimensions: page.overall.dimensions,
        moved: page.moved.map(tellMovement),
        raise: adviseRaise(page, clock.now()),
      }
    },
    pin(peer, score, { reason, untilMs }) {
      const pin: TrustPin = { atMs: clock.now(), peer, score, reason, untilMs }
      if (!isPin(pin)) return refuse('trust.entry-refused', 'a pin needs a score from 0 to 1000, a reason and an end')
      const refusal = refusalFor(peer)
      if (refusal !== undefined) return refusal
      const before = view(peer).tier
      const record = { kind: 'pin', ...startFor(peer), pin } as const
      book.fold(record)
      writer.add(record)
      tellTierChange(peer, before)
      return allowed
    },
    flush: () => writer.flush(),
    async close() {
      closed = true
      writer.stop()
      await writer.flush()
    },
    [Symbol.asyncDispose]: () => ledger.close(),
  }
  return ledger
}
