import { MeshError } from '@parley/protocol'
import type { SavedBehaviour } from './behaviour-monitor.ts'
import { isKey } from './evidence.ts'
import type { Movement } from './movement.ts'
import { parseJson } from './parse-json.ts'
import { standingCells } from './standing.ts'

/** Where a piece of evidence has its place in the fold: by time, then rater, then the rater's own count. */
export interface FoldPlace {
  readonly atMs: number
  readonly rater: string
  readonly seq: number
}

/** One standing of a peer: overall, for a capability, or as another rater sees it. */
export interface PageStanding {
  /** A capability; empty for overall; `from <rater>` for what a rater of another owner told. */
  readonly name: string
  readonly cells: readonly number[]
}

/** Everything that is folded of one peer, in a form that can be kept. */
export interface PeerPage {
  readonly peer: string
  /** The newest evidence in it: what comes before has been folded, what comes after has not. */
  readonly folded: FoldPlace
  /** The first is the overall one. */
  readonly standings: readonly PageStanding[]
  readonly moved: readonly PageMovement[]
  /** What it does, to compare with later. */
  readonly behaviour?: SavedBehaviour
}

/** A movement with names instead of their numbers. */
export type PageMovement = Omit<Movement, 'capability' | 'rater'> & {
  readonly capability: string
  readonly rater: string
}

/** Compares two places. */
export function comparePlaces(left: FoldPlace, right: FoldPlace): number {
  if (left.atMs !== right.atMs) return left.atMs - right.atMs
  if (left.rater !== right.rater) return left.rater < right.rater ? -1 : 1
  return left.seq - right.seq
}

/** Writes a page under the model that computed it. */
export function encodePage(page: PeerPage, modelHash: string): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ model: modelHash, page }))
}

/**
 * Reads a page; undefined for one of another model, under which the stream is folded anew. Throws `store.corrupt` for what is
 * no page of this peer: who did badly must not start anew because a disk did.
 */
export function decodePage(bytes: Uint8Array, peer: string, modelHash: string): PeerPage | undefined {
  const { model, page } = (parseJson(bytes) ?? {}) as { readonly model?: unknown; readonly page?: PeerPage }
  if (typeof model === 'string' && model !== modelHash) return undefined
  if (model === modelHash && page?.peer === peer && isPage(page)) return page
  throw new MeshError('store.corrupt', `what the trust ledger keeps of ${peer} is no page of it`, { details: { peer } })
}

function isPage({ folded, standings, moved }: Partial<PeerPage>): boolean {
  return (
    Number.isFinite(folded?.atMs) &&
    isKey(folded?.rater) &&
    Number.isSafeInteger(folded.seq) &&
    Array.isArray(moved) &&
    Array.isArray(standings) &&
    standings.length > 0 &&
    standings.every(
      (standing: Partial<PageStanding> | null) =>
        typeof standing?.name === 'string' &&
        standing.cells?.length === standingCells &&
        standing.cells.every((value) => Number.isFinite(value)),
    )
  )
}
