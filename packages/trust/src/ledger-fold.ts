import { pieceCells, type EvidenceBatch, type StreamEntry } from './evidence-batch.ts'
import { createLateWindow, maxLateMs, type LateItem, type LateWindow } from './late-window.ts'
import { createNoteBook, type NoteBook } from './note-book.ts'
import { createPeerBook, type PeerBook } from './peer-book.ts'
import { agentOf, ownerOf } from './peer-key.ts'
import { comparePlaces } from './peer-page.ts'
import { createRunTimes, type RunTimes } from './run-times.ts'
import type { Sight } from './sight.ts'
import type { TrustModel } from './trust-model.ts'

/** How far ahead of the clock evidence may be. */
export const maxAheadMs = 60_000

/** What a fold needs. */
export interface LedgerFoldOptions {
  readonly model: TrustModel
  /** Whose ledger it is. */
  readonly rater: string
  /** Where a peer starts of whom no evidence says so. */
  readonly startOf: (peer: string) => number
  /** Tells whether an anchor vouches for a peer: what others say of anybody else is not taken. */
  readonly isKnown: (peer: string) => boolean
  /** Evidence of other raters comes in any order. Without, all of it comes in its own. */
  readonly isShared: boolean
}

/** Why a piece of evidence is not taken. */
export type PieceRefusal =
  | 'trust.evidence-duplicate'
  | 'trust.evidence-from-future'
  | 'trust.evidence-late'
  | 'trust.peer-unknown'
  | 'trust.self-evidence'

/** What became of the pieces of a batch. */
export interface FoldedPieces {
  readonly taken: number
  /** How many were refused, by code. */
  readonly refused: ReadonlyMap<PieceRefusal, number>
}

/** The state of a ledger: what evidence and notes make of the peers. */
export interface LedgerFold {
  readonly book: PeerBook
  readonly window: LateWindow | undefined
  readonly notes: NoteBook
  readonly runs: RunTimes
  /** Folds one piece that this rater itself saw, of a peer with a handle if it is in memory. */
  take(
    peer: string,
    handle: number | undefined,
    capability: string,
    sight: Sight,
    atMs: number,
    seq: number,
    start: number | undefined,
  ): void
  /**
   * Folds what a batch says. `enter` brings the page of a peer into memory, if one is kept. Pieces that it holds already
   * are passed over.
   */
  takeBatch(
    batch: EvidenceBatch,
    arrival: Pick<StreamEntry, 'arrivedAtMs' | 'openedAtMs'>,
    enter: (peer: string) => Promise<unknown> | undefined,
  ): Promise<FoldedPieces>
}

/** Creates the state of an empty ledger. */
export function createLedgerFold({ model, rater, startOf, isKnown, isShared }: LedgerFoldOptions): LedgerFold {
  const runs = createRunTimes()
  const book = createPeerBook(model, runs.between)
  const window = isShared ? createLateWindow(book, startOf) : undefined
  const notes = createNoteBook()
  const ownOwner = ownerOf(rater)

  const take = (
    peer: string,
    known: number | undefined,
    capability: string,
    sight: Sight,
    atMs: number,
    seq: number,
    start: number | undefined,
  ): void => {
    if (window !== undefined) {
      window.take(peer, [{ atMs, rater, seq, capability, sight, isHearsay: false, start }], atMs)
      return
    }
    const handle = known ?? book.add(peer, start ?? startOf(peer), atMs)
    book.fold(peer, handle, { atMs, rater, seq, capability, sight, isHearsay: false })
  }
  const refusePiece = (from: string, peer: string, atMs: number, arrivedAtMs: number): PieceRefusal | undefined => {
    // An owner's word about its own names is self-praise, unless the owner is ours.
    const isSelf = peer === agentOf(from) || (ownerOf(peer) === ownerOf(from) && ownerOf(from) !== ownOwner)
    if (isSelf) return 'trust.self-evidence'
    if (atMs < arrivedAtMs - maxLateMs) return 'trust.evidence-late'
    if (atMs > arrivedAtMs + maxAheadMs) return 'trust.evidence-from-future'
    return isKnown(peer) || book.find(peer) !== undefined ? undefined : 'trust.peer-unknown'
  }
  const takePiece = (peer: string, piece: LateItem): PieceRefusal | undefined => {
    const known = book.find(peer)
    if (known !== undefined && !book.isFresh(known) && comparePlaces(piece, book.folded(known)) <= 0)
      return 'trust.evidence-duplicate'
    const handle = known ?? book.add(peer, piece.start ?? startOf(peer), piece.atMs)
    book.fold(peer, handle, piece)
    return undefined
  }
  return {
    book,
    window,
    notes,
    runs,
    take,
    async takeBatch({ rater: from, first, atMs: madeAtMs, pieces, notes: told }, { arrivedAtMs, openedAtMs }, enter) {
      const isOwn = from === rater
      // Up to the newest piece, which a clock that is ahead may have made, so that it folds alike now and later.
      runs.mark(openedAtMs, Math.max(arrivedAtMs, madeAtMs))
      if (isOwn) for (const note of told) notes.take(note)
      const { peers, capabilities, sights, rows, starts } = pieces
      const isHearsay = ownerOf(from) !== ownOwner
      const refused = new Map<PieceRefusal, number>()
      const refuse = (code: PieceRefusal, count: number): void => {
        if (count > 0) refused.set(code, (refused.get(code) ?? 0) + count)
      }
      const refusalOf = (peer: string, piece: LateItem): PieceRefusal | undefined =>
        isOwn ? undefined : refusePiece(from, peer, piece.atMs, arrivedAtMs)
      /** What is folded in its place is folded a peer at a time: each piece may have much after it that is folded again. */
      const gathered = new Map<string, LateItem[]>()
      let taken = 0
      let atMs = 0
      for (let at = 0, seq = first; at < rows.length; at += pieceCells, seq++) {
        atMs += rows[at] ?? 0
        const number = rows[at + 1] ?? 0
        const peer = peers[number]
        const capability = capabilities[rows[at + 2] ?? 0]
        const sight = sights[rows[at + 3] ?? 0]
        if (peer === undefined || capability === undefined || sight === undefined) continue
        // Where a peer starts is nothing that another owner has a word in.
        const start = isHearsay ? undefined : starts[String(number)]
        const piece: LateItem = { atMs, rater: from, seq, capability, sight, isHearsay, start }
        if (window !== undefined) {
          const pieces = gathered.get(peer)
          if (pieces) pieces.push(piece)
          else gathered.set(peer, [piece])
          continue
        }
        const entering = enter(peer)
        if (entering !== undefined) await entering
        const code = refusalOf(peer, piece) ?? takePiece(peer, piece)
        if (code === undefined) taken++
        else refuse(code, 1)
      }
      for (const [peer, pieces] of gathered) {
        const entering = enter(peer)
        if (entering !== undefined) await entering
        const fit = pieces.filter((piece) => {
          const code = refusalOf(peer, piece)
          if (code !== undefined) refuse(code, 1)
          return code === undefined
        })
        const count = window?.take(peer, fit, arrivedAtMs) ?? 0
        taken += count
        refuse('trust.evidence-late', fit.length - count)
      }
      return { taken, refused }
    },
  }
}
