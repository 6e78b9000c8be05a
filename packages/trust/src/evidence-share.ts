import type { Clock, Hash, Store } from '@parley/ports'
import { refuse, signingDomains, type Refusal } from '@parley/protocol'
import { countPieces, readBatch, splitEntry, type ReadBatch } from './evidence-batch.ts'
import { maxLateMs } from './late-window.ts'
import { maxAheadMs, type PieceRefusal } from './ledger-fold.ts'
import type { LedgerKeeper } from './ledger-keeper.ts'
import type { VerifySignature } from './replay-stream.ts'

/** Who handed evidence over, as it was proven to be. */
export interface Sharer {
  /** The rater's key, as `formatAgentId` writes it. */
  readonly rater: string
  /** The instance that signs for it. */
  readonly did: string
  /** It has nothing older: what lies between is gone for good. */
  readonly isOldest?: boolean
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
  /** Lists this rater's batches of the last five minutes that go beyond its count `afterSeq`, oldest first. */
  listShared(afterSeq: number, limit?: number): Promise<readonly Uint8Array[]>
  /** How far a rater's evidence was taken: its own count. */
  sharedUpTo(rater: string): number
}

/** What `createEvidenceShare` needs. */
export interface EvidenceShareOptions {
  readonly keeper: LedgerKeeper
  readonly store: Store
  readonly stream: string
  readonly rater: string
  readonly verify: VerifySignature
  readonly hash: Hash
  readonly clock: Clock
  readonly isShared: boolean
  readonly refusal: () => Refusal | undefined
}

/** Above what a rater puts into one batch. */
const maxBatchBytes = 524_288
const defaultListed = 64
const entriesPerPage = 64

/** Creates the sharing of a ledger. */
export function createEvidenceShare(options: EvidenceShareOptions): EvidenceShare {
  const { keeper, store, stream, rater, verify, hash, clock, isShared, refusal } = options
  let turn: Promise<unknown> = Promise.resolve()

  const check = (batch: ReadBatch, { rater: sender, did, isOldest = false }: Sharer): Refusal | undefined => {
    if (batch.rater !== sender || batch.did !== did)
      return refuse('trust.evidence-forged', `it speaks for ${batch.rater}, which is not who sent it`)
    if (!verify(did, signingDomains.evidence, batch.hash, batch.signature))
      return refuse('trust.evidence-forged', `it is not signed by ${did}`)
    if (sender === rater) return refuse('trust.evidence-duplicate', 'it is our own')
    if (batch.atMs > clock.now() + maxAheadMs)
      return refuse('trust.evidence-from-future', `it is ${String(batch.atMs - clock.now())} ms ahead of the clock`)
    const cursor = keeper.cursors.get(sender)
    if (cursor === undefined || isOldest) return undefined
    if (batch.first <= cursor.seq) return refuse('trust.evidence-duplicate', `it was taken up to ${String(cursor.seq)}`)
    const follows = batch.first === cursor.seq + 1 && batch.previous === cursor.last
    return follows ? undefined : refuse('trust.evidence-gap', `it does not follow ${String(cursor.seq)}`)
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
    async listShared(afterSeq, limit = defaultListed) {
      const found: Uint8Array[] = []
      let last = await store.journal.last(stream)
      for (let isOlder = false; last > 0 && !isOlder; last -= entriesPerPage) {
        const first = Math.max(1, last - entriesPerPage + 1)
        const entries = await store.journal.read(stream, first, last - first + 1)
        for (const { data, position } of entries.toReversed()) {
          const { arrivedAtMs, sealed } = splitEntry(data, position)
          const batch = readBatch(sealed, hash)
          isOlder = arrivedAtMs < clock.now() - maxLateMs
          if (batch?.rater !== rater || countPieces(batch.pieces) === 0) continue
          isOlder ||= batch.first + countPieces(batch.pieces) - 1 <= afterSeq
          if (isOlder) break
          found.push(sealed)
        }
      }
      return found.toReversed().slice(0, limit)
    },
    sharedUpTo: (sharer) => keeper.cursors.get(sharer)?.seq ?? 0,
  }
}
