import type { KeyValue } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { StreamEnd } from './ledger-writer.ts'
import { parseJson } from './parse-json.ts'
import { decodePage, encodePage, type PeerPage } from './peer-page.ts'
import type { RunSpan } from './run-times.ts'
import { isTrustNote, type TrustNote } from './trust-note.ts'

/** What a ledger knows beside its pages, as of the end of its stream. */
export interface LedgerHead {
  /** Hash of the model: under another one everything is folded anew. */
  readonly model: string
  readonly end: StreamEnd
  /** Every entry up to here is folded into the pages that are kept; the fold goes on after it. */
  readonly foldedPosition: number
  readonly runs: readonly RunSpan[]
  readonly notes: readonly TrustNote[]
  /** How far the evidence of other raters was taken. */
  readonly cursors: readonly RaterCursor[]
  /** The newest time of own evidence: the next piece is not before it. */
  readonly lastAtMs: number
}

/** How far the evidence of another rater was taken. */
export interface RaterCursor {
  readonly rater: string
  readonly seq: number
  /** Name of its last batch. */
  readonly last: string
}

/** Of whom more tell than that, those that were silent longest are asked again from their oldest. */
const maxCursors = 4_096

/** Notes how far the evidence of a rater was taken. */
export function rememberCursor(cursors: Map<string, RaterCursor>, cursor: RaterCursor): void {
  cursors.delete(cursor.rater)
  cursors.set(cursor.rater, cursor)
  const [silent] = cursors.keys()
  if (cursors.size > maxCursors && silent !== undefined) cursors.delete(silent)
}

/** Pages and head of one ledger, in a store. Pages come first: a crash in between leaves an older head, which is sound. */
export interface Snapshots {
  readHead(): Promise<LedgerHead | undefined>
  writeHead(head: LedgerHead): Promise<void>
  /** Rejects with `store.corrupt`, as the other readers do: nothing is made up for what cannot be read. */
  readPage(peer: string): Promise<PeerPage | undefined>
  writePages(pages: readonly PeerPage[]): Promise<void>
  readOwner(owner: string): Promise<readonly number[] | undefined>
  writeOwners(owners: ReadonlyMap<string, readonly number[]>): Promise<void>
}

/** Creates the snapshots of a stream under a model. */
export function createSnapshots(keyValue: KeyValue, stream: string, modelHash: string): Snapshots {
  const headKey = `${stream}/head`
  const pageKey = (peer: string): string => `${stream}/page/${peer}`
  const ownerKey = (owner: string): string => `${stream}/owner/${owner}`
  return {
    async readHead() {
      const entry = await keyValue.get(headKey)
      if (entry === undefined) return undefined
      const head = parseHead(entry.value)
      if (head === undefined) throw corrupt(`the head of the trust ledger ${stream}`, headKey)
      return head
    },
    async writeHead(head) {
      await keyValue.put(headKey, new TextEncoder().encode(JSON.stringify(head)))
    },
    async readPage(peer) {
      const entry = await keyValue.get(pageKey(peer))
      return entry && decodePage(entry.value, peer, modelHash)
    },
    async writePages(pages) {
      await Promise.all(pages.map((page) => keyValue.put(pageKey(page.peer), encodePage(page, modelHash))))
    },
    async readOwner(owner) {
      const key = ownerKey(owner)
      const entry = await keyValue.get(key)
      if (entry === undefined) return undefined
      const counts = parseJson(entry.value)
      if (Array.isArray(counts) && counts.every((count) => Number.isFinite(count))) return counts as readonly number[]
      throw corrupt(`the counts of ${owner}`, key)
    },
    async writeOwners(owners) {
      await Promise.all(
        [...owners].map(([owner, counts]) =>
          keyValue.put(ownerKey(owner), new TextEncoder().encode(JSON.stringify(counts))),
        ),
      )
    },
  }
}

function parseHead(bytes: Uint8Array): LedgerHead | undefined {
  const head = parseJson(bytes) as LedgerHead | undefined
  try {
    const isHead =
      head !== undefined &&
      typeof head.model === 'string' &&
      Number.isSafeInteger(head.end.position) &&
      Number.isSafeInteger(head.end.seq) &&
      typeof head.end.lastEvidence === 'string' &&
      typeof head.end.lastNotes === 'string' &&
      Number.isSafeInteger(head.foldedPosition) &&
      Number.isFinite(head.lastAtMs) &&
      head.runs.every(([fromMs, toMs]) => fromMs <= toMs) &&
      head.cursors.every(({ rater, seq, last }) => rater !== '' && seq >= 0 && typeof last === 'string') &&
      head.notes.every(isTrustNote)
    return isHead ? head : undefined
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

function corrupt(what: string, key: string): MeshError {
  return new MeshError('store.corrupt', `${what} is not one`, { details: { key } })
}
