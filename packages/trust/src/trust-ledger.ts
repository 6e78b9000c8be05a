import {
  silentLogger,
  systemHash,
  type Clock,
  type Hash,
  type Logger,
  type Random,
  type Signer,
  type Store,
} from '@parley/ports'
import { allowed, MeshError, refuse, type Refusal, type Verdict, type SignatureCheck } from '@parley/protocol'
import { createBehaviourMonitor, type BehaviourMonitorOptions } from './behaviour-monitor.ts'
import { isObserved, type Observed } from './evidence.ts'
import { createEvidenceIds } from './evidence-ids.ts'
import { maxAheadMs } from './ledger-fold.ts'
import { openLedgerKeeper } from './ledger-keeper.ts'
import type { OrdersAbout } from './owner-word.ts'
import { judgePeer, listRaters, type Bench, type JudgedFor, type TrustView } from './peer-judgement.ts'
import { agentOf, ownerOf } from './peer-key.ts'
import { nameRater, readRater } from './rater-name.ts'
import { createEvidenceShare, type EvidenceShare } from './evidence-share.ts'
import { sightOf, type Sight } from './sight.ts'
import type { Tier } from './tier.ts'
import { createTrustModel, type TrustModel } from './trust-model.ts'
import { isTrustNote, type Attestation, type Quarantine, type TrustNote } from './trust-note.ts'
import { explainPeer, type TrustExplanation } from './trust-explanation.ts'

/** How many peers a ledger holds in memory; the others wait in the store. */
const defaultMaxPeers = 100_000

/** How long a peer is refused after it behaved as it should not. */
const quarantineMs = 900_000

/** What became of an observation: folded, about nobody, folded once the peer is read, or refused with `trust.*`. */
export type Observation =
  | { readonly kind: 'taken'; readonly score: number; readonly tier: Tier }
  | { readonly kind: 'neutral' }
  | { readonly kind: 'queued' }
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
  /** Whose ledger it is, as `formatAgentId` writes it. To read one, whoever writes it. */
  readonly rater?: string
  /** Makes the word by which this stream is told apart from others of the same agent. Without, there must be no others. */
  readonly random?: Random
  /** Signs what is written, with the key of this instance. Without, the ledger can only be read. */
  readonly signer?: Signer
  readonly verify: SignatureCheck
  /** The journal stream; default `trust`. One process writes a stream. */
  readonly stream?: string
  /** Tells whether an anchor vouches for a peer: it starts at 500, any other at 300. Default: none does. */
  readonly isVouched?: (peer: string) => boolean
  readonly model?: TrustModel
  /** Takes evidence of other raters too. Default false. */
  readonly isShared?: boolean
  /** Called with each batch of own evidence once it is durable. */
  readonly onShare?: (sealed: Uint8Array) => void
  /** Lists those for whose doings a peer answers: names of its owner, its delegates. Given, their blame spreads to it. */
  readonly answersFor?: (peer: string) => readonly string[]
  /** Tells what the owner of a peer ordered about it, so far as that is in force. Default: nothing. */
  readonly ordersAbout?: OrdersAbout
  readonly behaviour?: BehaviourMonitorOptions
  /** Called after evidence or a pin moved a peer to another tier. Must not throw. */
  readonly onTierChange?: (change: TierChange) => void
  /** Called when a peer is put apart. Must not throw. */
  readonly onQuarantine?: (quarantine: Quarantine) => void
  readonly maxPeers?: number
  /** Without a signer: folds the whole stream and reads no pages, as anybody would who has nothing but the evidence. */
  readonly isRecomputed?: boolean
  readonly hash?: Hash
  readonly logger?: Logger
}

/**
 * Keeps the trust of this node in its peers.
 *
 * I1 A score is a fold over the stream: whoever has the same evidence has the same score.
 * I2 Scores are between 0 and 1000, and the lowest ceiling wins.
 * I3 Evidence is folded at once and written soon after; `flush` makes it durable.
 * I4 Memory is bounded: `maxPeers` peers, their capabilities and movements, remembered ids, notes and waiting records.
 */
export interface TrustLedger extends EvidenceShare {
  /** Under which name it counts its own evidence. */
  readonly rater: string
  /** Brings a peer into memory, which everything below needs; undefined if that takes no reading. */
  enter(peer: string): Promise<void> | undefined
  observe(observed: Observed): Observation
  /**
   * Returns score and tier, never above `ceiling`; with `capability` those of that capability once it has evidence. Of a
   * peer that is kept but was not brought into memory it trusts nothing.
   */
  view(peer: string, judgedFor?: JudgedFor): TrustView
  /** Refuses a peer that is in quarantine with `trust.quarantined`. */
  admit(peer: string): Verdict
  explain(peer: string): TrustExplanation
  /** Names the peers that are in memory; of a ledger that is recomputed, all of them. */
  peers(): readonly string[]
  /** Holds a score, whatever the evidence says, until `untilMs`; a time that is over lifts the pin. On the record. */
  pin(peer: string, score: number, options: { readonly reason: string; readonly untilMs: number }): Verdict
  /** Puts a peer apart until `untilMs`, or takes that back with a time that is over. On the record. */
  quarantine(peer: string, options: { readonly reason: string; readonly untilMs: number }): Verdict
  /** Takes another agent's word about a peer, whose signature was verified. Refuses with `trust.attestation-refused`. */
  attest(attestation: Omit<Attestation, 'kind'>): Verdict
  /** Resolves when everything so far is durable. Rejects with the error of the store. */
  flush(): Promise<void>
  /** Writes pages, so that the next opening folds only what comes after. It does so by itself now and then. */
  snapshot(): Promise<void>
  /** Flushes and takes no more. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Far more than can be under way at once; every one of them costs the garbage collector. */
const rememberedIds = 8_192
const maxQueued = 1_000
const unread: TrustView = { score: 0, tier: 'untrusted', evidenceCount: 0 }
const anything: JudgedFor = {}
const maxAttestationMs = 365 * 86_400_000

/** Opens the ledger of a store, folding what is there. Rejects with `store.corrupt` for an entry that does not hold. */
export async function openTrustLedger(options: TrustLedgerOptions): Promise<TrustLedger> {
  const { store, clock, signer, verify, stream = 'trust', maxPeers = defaultMaxPeers } = options
  const { isVouched = () => false, model = createTrustModel(), logger = silentLogger, hash = systemHash } = options
  const { isShared = false, answersFor, ordersAbout } = options
  const rater =
    options.rater === undefined
      ? await readRater(store, stream, hash)
      : options.random === undefined
        ? options.rater
        : await nameRater(store, stream, options.rater, options.random)
  const monitor = createBehaviourMonitor(options.behaviour)
  const keeper = await openLedgerKeeper({
    store,
    stream,
    rater,
    signer,
    verify,
    hash,
    model,
    clock,
    logger,
    maxPeers,
    isRecomputed: signer === undefined && options.isRecomputed === true,
    isShared,
    isVouched,
    monitor,
    onDurable: (sealed) => options.onShare?.(sealed),
  })
  const { fold, writer } = keeper
  const { book } = fold
  const ids = createEvidenceIds(rememberedIds)
  for (const batch of keeper.recent) if (batch.rater === rater) ids.addBatch(batch)
  const self = agentOf(rater)
  const bench: Bench = { fold, model, startOf: keeper.startOf, answersFor, ordersAbout }
  let seq = keeper.end().seq
  let queued = 0
  let closed = false

  /** Whatever it is that is observed. */
  const find = (observed: unknown): number | undefined =>
    typeof observed === 'object' && observed !== null && 'peer' in observed
      ? book.find(observed.peer as string)
      : undefined
  const refusal = (): Refusal | undefined => {
    if (closed) throw new MeshError('store.closed', 'The trust ledger is closed')
    const reason = writer === undefined ? 'it was opened for reading' : writer.refusal()
    return reason === undefined ? undefined : refuse('trust.entry-refused', reason)
  }
  const view: TrustLedger['view'] = (peer, judgedFor = {}) => {
    keeper.markRunning()
    return keeper.isUnread(peer) ? unread : judgePeer(bench, peer, clock.now(), judgedFor)
  }
  const tellTierChange = (peer: string, from: Tier): void => {
    const { tier: to, score } = view(peer)
    if (to !== from) options.onTierChange?.({ peer, from, to, score, atMs: clock.now() })
  }
  const takeNote = (note: TrustNote): Verdict => {
    const refused = refusal()
    if (refused !== undefined) return refused
    const full = fold.notes.refusal(note, clock.now())
    if (full !== undefined) return refuse('trust.entry-refused', full)
    const before = view(note.peer).tier
    fold.notes.take(note)
    writer?.addNote(note)
    tellTierChange(note.peer, before)
    return allowed
  }
  const putApart = (quarantine: Quarantine): Verdict => {
    const verdict = takeNote(quarantine)
    if (verdict.kind === 'allow') options.onQuarantine?.(quarantine)
    return verdict
  }
  const watch = (observed: Observed, sight: Sight | undefined, atMs: number): void => {
    const alarm = monitor.add(observed, sight, atMs)
    if (alarm === undefined) return
    putApart({ kind: 'quarantine', atMs, peer: observed.peer, untilMs: atMs + quarantineMs, ...alarm })
  }
  const queue = (observed: Observed, entering: Promise<void>): Observation => {
    if (queued >= maxQueued) return refuse('trust.entry-refused', 'too many peers are being read')
    queued++
    entering
      .then(() => {
        // What is still not there found no room.
        const isHere = !closed && !keeper.isUnread(observed.peer)
        const done = isHere ? ledger.observe(observed) : refuse('trust.entry-refused', 'there is no room for the peer')
        if (done.kind === 'deny') logger.warn('trust.not-observed', { peer: observed.peer, code: done.code })
      })
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : 'not an error'
        logger.error('trust.not-observed', { peer: observed.peer, error: reason })
      })
      .finally(() => queued--)
    return { kind: 'queued' }
  }

  const enterRaters = (peer: string): Promise<unknown> | undefined => {
    if (fold.notes.isEmpty() && !isShared) return undefined
    const entering = listRaters(bench, peer, clock.now()).flatMap((rater) => keeper.enter(rater) ?? [])
    return entering.length === 0 ? undefined : Promise.all(entering)
  }
  const enter = (peer: string): Promise<void> | undefined => {
    const entering = keeper.enter(peer)
    if (entering !== undefined) return entering.then(async () => void (await enterRaters(peer)))
    return enterRaters(peer)?.then(() => undefined)
  }
  const refuseAttestation = (note: Attestation): string | undefined => {
    const { rater: sayer, peer, issuedAtMs, expiresAtMs } = note
    const nowMs = clock.now()
    if (ownerOf(sayer) === ownerOf(peer)) return `${sayer} has no word about names of its own owner`
    if (sayer === self) return 'this node has evidence, and needs no word of its own'
    if (!isVouched(sayer)) return `no anchor vouches for ${sayer}`
    if (!isVouched(peer)) return `no anchor vouches for ${peer}`
    if (issuedAtMs > nowMs + maxAheadMs) return 'it is from the future'
    if (expiresAtMs <= nowMs) return 'it has expired'
    if (expiresAtMs - issuedAtMs > maxAttestationMs) return 'it holds for more than a year'
    const known = fold.notes.attestationsOf(peer, nowMs).find((other) => other.rater === sayer)
    return known !== undefined && known.issuedAtMs >= issuedAtMs ? 'one that is as new was taken before' : undefined
  }

  const ledger: TrustLedger = {
    rater,
    ...createEvidenceShare({ keeper, store, stream, rater, verify, hash, clock, isShared, refusal }),
    enter,
    view,
    observe(observed) {
      const found = find(observed)
      if (!isObserved(observed, found !== undefined && book.knowsCapability(observed.capability)))
        return refuse('trust.evidence-invalid', 'the evidence is malformed or out of range')
      const { peer, capability, envelope = '' } = observed
      if (peer === self) return refuse('trust.self-evidence', 'nobody is evidence about itself')
      const refused = refusal()
      if (refused !== undefined) return refused
      const entering = found === undefined ? keeper.enter(peer) : undefined
      if (entering !== undefined) return queue(observed, entering)
      if (!ids.add(observed)) return refuse('trust.evidence-duplicate', 'the envelope was evidence before')
      const atMs = keeper.stampMs()
      const sight = sightOf(observed)
      watch(observed, sight, atMs)
      if (sight === undefined) return { kind: 'neutral' }
      const start = found === undefined ? keeper.startOf(peer) : book.pendingStart(found)
      const from = judgePeer(bench, peer, atMs, anything, found).tier
      fold.take(peer, found, capability, sight, atMs, ++seq, start)
      // In a window the peer may have been folded again, under another handle.
      const handle = (isShared ? undefined : found) ?? book.find(peer)
      writer?.addPiece(peer, handle ?? 0, capability, sight, atMs, envelope, start)
      const { score, tier } = judgePeer(bench, peer, atMs, anything, handle)
      if (tier !== from) options.onTierChange?.({ peer, from, to: tier, score, atMs })
      return { kind: 'taken', score, tier }
    },
    admit(peer) {
      const nowMs = clock.now()
      const quarantine = fold.notes.isEmpty() ? undefined : fold.notes.quarantineOf(peer, nowMs)
      if (quarantine === undefined) return allowed
      const retryAfterMs = quarantine.untilMs - nowMs
      return refuse('trust.quarantined', `it is in quarantine: ${quarantine.reason}`, { retryAfterMs })
    },
    peers: book.peers,
    explain: (peer) => ({ ...explainPeer(bench, peer, clock.now()), ...(keeper.isUnread(peer) ? unread : {}) }),
    pin(peer, score, { reason, untilMs }) {
      const note: TrustNote = { kind: 'pin', atMs: clock.now(), peer, score, reason, untilMs }
      if (isTrustNote(note)) return takeNote(note)
      return refuse('trust.entry-refused', 'a pin needs a score from 0 to 1000, a reason and an end')
    },
    quarantine(peer, { reason, untilMs }) {
      const note: TrustNote = { kind: 'quarantine', cause: 'operator', atMs: clock.now(), peer, reason, untilMs }
      if (isTrustNote(note)) return putApart(note)
      return refuse('trust.entry-refused', 'a quarantine needs a reason and an end')
    },
    attest(attestation) {
      const note: TrustNote = { kind: 'attestation', ...attestation }
      const reason = isTrustNote(note) ? refuseAttestation(note) : 'it is malformed or out of range'
      return reason === undefined ? takeNote(note) : refuse('trust.attestation-refused', reason)
    },
    flush: async () => writer?.flush(),
    snapshot: () => keeper.snapshot(),
    async close() {
      if (closed) return
      closed = true
      await keeper.close()
    },
    [Symbol.asyncDispose]: () => ledger.close(),
  }
  return ledger
}
