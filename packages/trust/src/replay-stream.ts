import type { Hash, Journal } from '@parley/ports'
import { signingDomains, type SignatureCheck } from '@parley/protocol'
import {
  corruptEntry,
  countPieces,
  nameBatch,
  readBatch,
  splitEntry,
  type ReadBatch,
  type StreamEntry,
} from './evidence-batch.ts'
import type { StreamEnd } from './ledger-writer.ts'
import { rememberCursor, type RaterCursor } from './snapshot.ts'

/** What `replayStream` needs. */
export interface ReplayOptions {
  readonly journal: Journal
  readonly stream: string
  readonly rater: string
  readonly verify: SignatureCheck
  readonly hash: Hash
  /** Entries after this one are read. */
  readonly fromPosition: number
  /** Where the stream ended, and how far others' evidence was taken, when that was last written down. */
  readonly end: StreamEnd
  readonly cursors: ReadonlyMap<string, RaterCursor>
  readonly onBatch: (batch: ReadBatch, entry: StreamEntry, position: number) => Promise<void>
}

/** Where a stream ends now. */
export interface ReplayedEnd {
  readonly end: StreamEnd
  readonly cursors: Map<string, RaterCursor>
}

const entriesPerPage = 256

/**
 * Reads the entries of a stream in order, and checks that each batch is signed by the key that it names, and that the
 * rater's own follow each other. Rejects with `store.corrupt` for the first entry that does not hold, and for a stream that ends
 * before the place where it once ended: a record that was taken away is no way to a better score.
 */
export async function replayStream(options: ReplayOptions): Promise<ReplayedEnd> {
  const { journal, stream, rater, verify, hash, onBatch } = options
  const cursors = new Map(options.cursors)
  const { position } = options.end
  let { seq, lastEvidence, lastNotes } = options.end
  const last = await journal.last(stream)
  if (last < position) throw corruptEntry(position, `is gone: the stream ends at ${String(last)}`)

  const follow = (batch: ReadBatch, at: number): void => {
    const name = nameBatch(batch.hash)
    const lastSeq = batch.first + countPieces(batch.pieces) - 1
    if (batch.rater !== rater) {
      // What is missing of another rater was refused when it came.
      rememberCursor(cursors, { rater: batch.rater, seq: lastSeq, last: name })
      return
    }
    const isEvidence = batch.pieces.rows.length > 0
    if (batch.first !== seq + 1 || batch.previous !== (isEvidence ? lastEvidence : lastNotes))
      throw corruptEntry(at, 'does not follow the batch before it')
    seq = lastSeq
    if (isEvidence) lastEvidence = name
    else lastNotes = name
  }
  for (let at = options.fromPosition + 1; ;) {
    const entries = await journal.read(stream, at, entriesPerPage)
    for (const { data, position: here } of entries) {
      const entry = splitEntry(data, here)
      const batch = readBatch(entry.sealed, hash)
      if (batch === undefined) throw corruptEntry(here, 'is no batch of evidence')
      if (!verify(batch.did, signingDomains.evidence, batch.hash, batch.signature))
        throw corruptEntry(here, `is not signed by ${batch.did}`)
      if (here > position) follow(batch, here)
      await onBatch(batch, entry, here)
      at = here + 1
    }
    if (entries.length < entriesPerPage) return { end: { position: at - 1, seq, lastEvidence, lastNotes }, cursors }
  }
}
