import type { Clock, Hash, Store } from '@parley/ports'
import { refuse, signingDomains, type Refusal, type SignatureCheck } from '@parley/protocol'
import { countPieces, readBatch, splitEntry, type ReadBatch } from './evidence-batch.ts'
import { maxAheadMs, type PieceRefusal } from './ledger-fold.ts'
import { agentOf } from './peer-key.ts'
import type { LedgerKeeper } from './ledger-keeper.ts'

/** Who handed evidence over, as it was proven to be. */
export interface Sharer {
  /** The agent, as `formatAgentId` writes it. */
  readonly rater: string
  /** The instance that signs for it. */
  readonly did: string
  /** It has nothing older: what lies between is gone for good. */
  readonly isOldest?: boolean
}

/** How far a stream of evidence goes: the rater's count of its last piece, and the name of the batch that holds it. */
export interface SharedPlace {
  readonly seq: number
  /** Empty before the first one. */
  readonly last: string
}

/** Batches that follow a place. */
export interface SharedRange {
  /** Sealed, oldest first. */
  readonly batches: readonly Uint8Array[]
  /** What lies between the place and the first of them is gone for good. */
  readonly isOldest: boolean
  /** There is more behind them. */
  readonly hasMore: boolean
}

/** What became of a batch of another rater. */
export type SharedVerdict =
  | { readonly kind: 'taken'; readonly taken: number; readonly refused: ReadonlyMap<PieceRefusal, number> }
  | Refusal

/** Evidence of other raters, and of this one for them. */
export interface EvidenceShare {
  /**
   * Takes a batch that another rater signed. Raters of this rater's owner count as it does itself; what others tell moves a
   * score as an attestation does. Refuses with a code: malformed, forged, taken before, ahead of the clock, about nobody
   * who is known, too late, or with a gap before it (`trust.evidence-gap`: ask its rater for what is missing).
   */
  takeShared(sealed: Uint8Array, from: Sharer): Promise<SharedVerdict>
  /**
   * Lists batches of the last five minutes of this life, which its key proves, after a place: `limit` of them at most, and
   * of more than one no more than `maxBytes` together.
   */
  listShared(after: SharedPlace, limit?: number, maxBytes?: number): Promise<SharedRange>
  /** How far the evidence of a stream was taken; of this ledger's own, how far it is durable. */
  sharedUpTo(rater: string): SharedPlace
}

/** What `createEvidenceShare` needs. */
export interface EvidenceShareOptions {
  readonly keeper: LedgerKeeper
  readonly store: Store
  readonly stream: string
  readonly rater: string
  readonly verify: SignatureCheck
  readonly hash: Hash
  readonly clock: Clock
  readonly isShared: boolean
  readonly refusal: () => Refusal | undefined
}

/** Above what a rater puts into one batch. */
const maxBatchBytes = 524_288
const defaultListed = 64

const nothing: SharedPlace = { seq: 0, last: '' }

/** Creates the sharing of a ledger. */
export function createEvidenceShare(options: EvidenceShareOptions): EvidenceShare {
  const { keeper, store, stream, rater, verify, hash, clock, isShared, refusal } = options
  let turn: Promise<unknown> = Promise.resolve()
  const upTo = (sharer: string): SharedPlace => {
    const { seq, lastEvidence } = keeper.end()
    return sharer === rater ? { seq, last: lastEvidence } : (keeper.cursors().get(sharer) ?? nothing)
  }

  const check = (batch: ReadBatch, { rater: sender, did, isOldest = false }: Sharer): Refusal | undefined => {
    if (agentOf(batch.rater) !== sender || batch.did !== did)
      return refuse('trust.evidence-forged', `it speaks for ${batch.rater}, which is not who sent it`)
    if (!verify(did, signingDomains.evidence, batch.hash, batch.signature))
      return refuse('trust.evidence-forged', `it is not signed by ${did}`)
    if (batch.rater === rater) return refuse('trust.evidence-duplicate', 'it is our own')
    if (batch.atMs > clock.now() + maxAheadMs)
      return refuse('trust.evidence-from-future', `it is ${String(batch.atMs - clock.now())} ms ahead of the clock`)
    const place = upTo(batch.rater)
    if (batch.first <= place.seq) return refuse('trust.evidence-duplicate', `it was taken up to ${String(place.seq)}`)
    return isOldest || follows(batch, place)
      ? undefined
      : refuse('trust.evidence-gap', `it does not follow ${String(place.seq)}`)
  }
  const take = async (sealed: Uint8Array, from: Sharer): Promise<SharedVerdict> => {
    const refused = refusal()
    if (refused !== undefined) return refused
    if (!isShared) return refuse('trust.entry-refused', 'this ledger takes no evidence of others')
    const batch = sealed.length > maxBatchBytes ? undefined : readBatch(sealed, hash)
    if (batch === undefined || countPieces(batch.pieces) === 0)
      return refuse('trust.evidence-invalid', 'it is no batch of evidence')
    const faulty = check(batch, from)
    if (faulty !== undefined) return faulty
    const folded = await keeper.takeBatch(batch, sealed)
    const [code] = folded.refused.keys()
    if (folded.taken === 0 && code !== undefined) return refuse(code, 'nothing of it could be taken')
    return { kind: 'taken', ...folded }
  }
  return {
    takeShared(sealed, from) {
      const taken = turn.then(() => take(sealed, from))
      turn = taken.catch(() => undefined)
      return taken
    },
    async listShared(after, limit = defaultListed, maxBytes = Infinity) {
      const found = keeper.shareable().filter(({ last }) => last > after.seq)
      const batches: Uint8Array[] = []
      let bytes = 0
      for (const { position } of found.slice(0, limit)) {
        const [entry] = await store.journal.read(stream, position, 1)
        if (entry === undefined) break
        const { sealed } = splitEntry(entry.data, position)
        bytes += sealed.length
        if (batches.length > 0 && bytes > maxBytes) break
        batches.push(sealed)
      }
      const [oldest] = found
      const isOldest = oldest !== undefined && !follows(oldest, after)
      return { batches, isOldest, hasMore: batches.length < found.length }
    },
    sharedUpTo: upTo,
  }
}

function follows(batch: Pick<ReadBatch, 'first' | 'previous'>, { seq, last }: SharedPlace): boolean {
  return batch.first === seq + 1 && batch.previous === last
}
