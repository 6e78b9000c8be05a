import type { Hash } from '@parley/ports'
import { createMerkleFrontier, type MerkleFrontier, isSameHash } from '@parley/protocol'
import type { AuditEntry } from './audit-entry.ts'
import type { AuditRecord } from './audit-record.ts'
import { decodeBase64url } from './base64.ts'

/** Leaves from `after` (exclusive) to `size` that a signed root covers, and the records that an export has there. */
export interface SealedRun {
  /** The tree of the records before the run, which are proven. */
  readonly before: MerkleFrontier
  readonly size: number
  readonly root: Uint8Array
  /** Leaf hash of record `size` in base64url, as the seal states it. */
  readonly last: string
  /** Entries in the order of the export; the first one stands where record `before.size + 1` belongs. */
  readonly entries: readonly AuditEntry[]
}

/** The genuine leaf hashes of a run, in base64url, and the tree at its end. */
export interface RecoveredRun {
  readonly leaves: readonly string[]
  readonly frontier: MerkleFrontier
}

/**
 * Finds the genuine leaf hashes of a sealed run, also where records were changed, removed, moved or put in. From the
 * sealed last hash it walks back: a record with that hash is genuine, so its `prev` is the genuine hash before it. Where
 * the record is not there, the two things that its neighbours still say are tried. Whatever is found counts only if it
 * gives the signed root; otherwise the answer is undefined.
 */
export function recoverLeaves(run: SealedRun, hash: Hash): RecoveredRun | undefined {
  const genuine = new Map(run.entries.map((entry) => [entry.leaf, entry]))
  const claimed = new Map(run.entries.flatMap((entry) => (entry.record ? [[entry.record.seq, entry] as const] : [])))
  const guesses: readonly Guess[] = [
    // A change that left `prev` alone.
    (seq) => claimed.get(seq)?.record?.prev ?? claimed.get(seq - 1)?.leaf,
    // A removed record, or a change of `prev` itself.
    (seq) => claimed.get(seq - 1)?.leaf ?? claimed.get(seq)?.record?.prev,
    // Several of them: `prev` where a record of that hash is there.
    (seq) => {
      const prev = claimed.get(seq)?.record?.prev
      return prev !== undefined && genuine.has(prev) ? prev : (claimed.get(seq - 1)?.leaf ?? prev)
    },
  ]
  for (const guess of guesses) {
    const leaves = walkBack(run, genuine, guess)
    const frontier = leaves && createMerkleFrontier(hash, run.before.size(), run.before.nodes())
    if (!leaves || !frontier) continue
    for (const leaf of leaves) frontier.append(decodeBase64url(leaf) ?? new Uint8Array(32))
    if (isSameHash(frontier.root(), run.root)) return { leaves, frontier }
  }
  return undefined
}

/** Says what the leaf hash before record `seq` may be, when that record is not there. */
type Guess = (seq: number) => string | undefined

function walkBack(run: SealedRun, genuine: ReadonlyMap<string, AuditEntry>, guess: Guess): string[] | undefined {
  const length = run.size - run.before.size()
  const leaves: string[] = []
  // A seal may claim any size; more than one leaf for every entry and every gap cannot be recovered anyway.
  if (length > run.entries.length * 2 + 1) return undefined
  let leaf: string | undefined = run.last
  for (let seq = run.size; seq > run.before.size(); seq--) {
    if (leaf === undefined) return undefined
    leaves.push(leaf)
    const record: AuditRecord | undefined = genuine.get(leaf)?.record
    leaf = record?.seq === seq ? record.prev : guess(seq)
  }
  return leaves.toReversed()
}
