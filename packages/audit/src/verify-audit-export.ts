import { systemHash, type Hash } from '@parley/ports'
import {
  computeMerkleRoot,
  createMerkleFrontier,
  encodeBase64url,
  type ErrorCode,
  type SignatureCheck,
} from '@parley/protocol'
import { createAuditEntry, type AuditEntry } from './audit-entry.ts'
import { parseAuditLine } from './audit-line.ts'
import { firstPrev, type AuditValue } from './audit-record.ts'
import { encodeBase64 } from './base64.ts'
import { verifyCheckpoint, type Checkpoint } from './checkpoint.ts'
import { recoverLeaves } from './recover-leaves.ts'

/** What verification needs, and what the verifier knows from elsewhere. */
export interface AuditVerifyOptions {
  readonly verify: SignatureCheck
  readonly hash?: Hash
  /** The log that this has to be. */
  readonly expectedOrigin?: string
  /** The log must have at least this many records. */
  readonly expectedSize?: number
  /** A head seen earlier, for instance in a peer's keeping: the log must have gone through it. `root` is base64. */
  readonly expectedHead?: { readonly size: number; readonly root: string }
  /** Tells whether a key may sign this log. Without it any key may that an `opened` record names: check `signers`. */
  readonly isTrustedSigner?: (did: string) => boolean
}

/** What verification found. */
export type AuditVerdict =
  | {
      readonly kind: 'ok'
      readonly records: number
      readonly checkpoints: number
      /** The last checkpoint: `root` is base64. */
      readonly head: { readonly origin: string; readonly size: number; readonly root: string }
      /** The did:keys that signed, in the order of their first checkpoint. */
      readonly signers: readonly string[]
      /** Records after the last checkpoint: chained, but signed by nobody yet. */
      readonly unsigned: number
      /** Whether the log ends as `close` ends it; a log without that end may have been cut after a checkpoint. */
      readonly isClosed: boolean
    }
  | {
      readonly kind: 'tampered'
      /** The first position that does not hold the record that belongs there. */
      readonly firstBadRecord: number
      /** Records that a signed checkpoint proves; always below `firstBadRecord`. */
      readonly proven: number
      readonly code: Extract<ErrorCode, `audit.${string}`>
      readonly reason: string
    }

type Tampered = Extract<AuditVerdict, { kind: 'tampered' }>

/** A checkpoint line, and how many record lines stand before it. Undefined: its signature does not hold. */
interface Seal {
  readonly at: number
  readonly checkpoint: Checkpoint | undefined
}

interface GenuineSeal extends Seal {
  readonly checkpoint: Checkpoint
}

/** An `opened` record: from it on, checkpoints are the instance's. */
interface Opening {
  readonly seq: number
  readonly instance: AuditValue | undefined
}

interface AuditExport {
  readonly entries: readonly AuditEntry[]
  readonly seals: readonly Seal[]
  readonly openings: readonly Opening[]
}

/**
 * Verifies an export offline and names the first bad record.
 *
 * Each signed checkpoint fixes the Merkle root of all records and the hash of the last one, hence the chain backwards;
 * walking forward from the checkpoint before and backward from this one finds the first position that does not hold its
 * record. The name is exact for records changed, removed, moved, put in or cut off. If somebody rewrote a run of records
 * between two checkpoints consistently, with all their hashes, nothing left tells where it began: the name is then the
 * first record after the checkpoint before (`proven + 1`). What comes after the last checkpoint is held by its chain only.
 * A tail that was cut together with its checkpoints cannot be seen from the file: give `expectedSize` or `expectedHead`,
 * or look at `isClosed`.
 */
export function verifyAuditExport(text: string, options: AuditVerifyOptions): AuditVerdict {
  const { hash = systemHash, expectedHead, expectedSize = 0 } = options
  const { entries, seals, openings } = readExport(text, options, hash)
  if (entries.length === 0) return truncated(0, 0, 'a log has at least the record of its opening')
  const genuine = seals.filter((seal) => isGenuine(seal, openings, seals, options))
  const held = new Set<Seal>()
  let frontier = createMerkleFrontier(hash)
  for (const seal of genuine.toSorted((left, right) => left.checkpoint.size - right.checkpoint.size)) {
    const { size, root, last, did } = seal.checkpoint
    const found = entries.slice(frontier.size(), Math.max(seal.at, frontier.size()))
    const run = { before: frontier, size, root, last: encodeBase64url(last), entries: found }
    const recovered = recoverLeaves(run, hash)
    if (!recovered) return blameUnproven(entries, frontier.size(), size, seal.at)
    const bad = recovered.leaves.findIndex((leaf, index) => found[index]?.leaf !== leaf || !found[index].isSound)
    if (bad !== -1) return blame(entries, frontier.size() + bad + 1, frontier.size(), seal.at)
    if (openings.findLast((opening) => opening.seq <= size)?.instance !== did) continue
    if (seal.at === size) held.add(seal)
    frontier = recovered.frontier
  }
  const proven = frontier.size()
  const breakAt = findBreak(entries, proven, entries.length)
  if (breakAt !== undefined) return blame(entries, breakAt, proven, entries.length)
  const badSeal = seals.find((seal) => !held.has(seal))
  if (badSeal) return blameSeal(badSeal, proven)
  const wantedSize = Math.max(expectedSize, expectedHead?.size ?? 0)
  if (entries.length < wantedSize) return truncated(entries.length, proven, `it had ${wantedSize} before`)
  if (expectedHead && !hasHead(entries, expectedHead, hash)) return blameHistory(expectedHead.size, proven)
  const head = genuine.at(-1)?.checkpoint
  if (!head) return truncated(0, 0, 'without a checkpoint nothing is proven')
  const end = entries.at(-1)?.record
  return {
    kind: 'ok',
    records: entries.length,
    checkpoints: genuine.length,
    head: { origin: head.origin, size: head.size, root: encodeBase64(head.root) },
    signers: [...new Set(genuine.map((seal) => seal.checkpoint.did))],
    unsigned: entries.length - head.size,
    isClosed: head.size === entries.length && end?.kind === 'lifecycle' && end['event'] === 'closed',
  }
}

function readExport(text: string, { verify }: AuditVerifyOptions, hash: Hash): AuditExport {
  const entries: AuditEntry[] = []
  const seals: Seal[] = []
  const openings: Opening[] = []
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  for (const line of lines.map(parseAuditLine)) {
    if (line.kind === 'checkpoint') {
      seals.push({ at: entries.length, checkpoint: verifyCheckpoint(line.note, line.did, verify, hash) })
    } else if (line.kind === 'invalid' && line.claims === 'checkpoint') {
      seals.push({ at: entries.length, checkpoint: undefined })
    } else {
      const entry = createAuditEntry(line, hash)
      entries.push(entry)
      const { record } = entry
      if (record?.kind === 'lifecycle' && record['event'] === 'opened') {
        openings.push({ seq: entries.length, instance: record['instance'] })
      }
    }
  }
  return { entries, seals, openings }
}

/** Whether a seal's signature holds, its log is the right one, and its signer opened the log and is trusted. */
function isGenuine(
  seal: Seal,
  openings: readonly Opening[],
  seals: readonly Seal[],
  { expectedOrigin, isTrustedSigner }: AuditVerifyOptions,
): seal is GenuineSeal {
  const { checkpoint } = seal
  const origin = expectedOrigin ?? seals.find((other) => other.checkpoint)?.checkpoint?.origin
  if (!checkpoint || checkpoint.origin !== origin || isTrustedSigner?.(checkpoint.did) === false) return false
  return openings.some((opening) => opening.instance === checkpoint.did)
}

function hasHead(
  entries: readonly AuditEntry[],
  head: { readonly size: number; readonly root: string },
  hash: Hash,
): boolean {
  const leaves = entries.slice(0, head.size).map((entry) => entry.leafBytes)
  return encodeBase64(computeMerkleRoot(hash, leaves)) === head.root
}

/** Finds the first position after `from` whose line is unsound or does not follow the one before. */
function findBreak(entries: readonly AuditEntry[], from: number, to: number): number | undefined {
  const follows = (index: number): boolean =>
    entries[index]?.record?.prev === (index === 0 ? firstPrev : entries[index - 1]?.leaf)
  for (let index = from; index < to; index++) {
    const entry = entries[index]
    if (!entry?.isSound || entry.record?.seq !== index + 1) return index + 1
    if (follows(index)) continue
    // Either this one has a wrong `prev`, or the one before was changed with its hash; the next link tells which.
    const isOnlyBreak = index + 1 >= to || follows(index + 1)
    return isOnlyBreak && index > from ? index : index + 1
  }
  return undefined
}

/** Names a record of a run whose genuine hashes cannot be found: by its first break, or as a whole. */
function blameUnproven(entries: readonly AuditEntry[], proven: number, size: number, at: number): Tampered {
  const position = findBreak(entries, proven, Math.min(at, size))
  if (position !== undefined) return blame(entries, position, proven, at)
  if (at < size) return truncated(at, proven, `a checkpoint covers ${size} records`)
  const reason = `records ${proven + 1} to ${size} are not those of the signed checkpoint; the first of them may be good`
  return { kind: 'tampered', firstBadRecord: proven + 1, proven, code: 'audit.record-invalid', reason }
}

/** Names the record at `position`; `at` is how many records stand before the checkpoint that proves it bad. */
function blame(entries: readonly AuditEntry[], position: number, proven: number, at: number): Tampered {
  const tampered = { kind: 'tampered', firstBadRecord: position, proven } as const
  const seq = position <= at ? entries[position - 1]?.record?.seq : undefined
  if (position > entries.length) return truncated(entries.length, proven, 'a checkpoint covers more')
  if (position > at) return { ...tampered, code: 'audit.chain-broken', reason: `record ${position} is missing` }
  if (position === 1 && seq !== undefined && seq > 1) {
    return { ...tampered, code: 'audit.truncated', reason: `the log starts with record ${seq}` }
  }
  if (seq === undefined || seq === position) {
    return { ...tampered, code: 'audit.record-invalid', reason: `record ${position} is not the one that was written` }
  }
  const reason = `record ${seq} stands where record ${position} belongs`
  return { ...tampered, code: 'audit.chain-broken', reason }
}

/** Names the record that a bad checkpoint follows, or the first one that is left without proof. */
function blameSeal(seal: Seal, proven: number): Tampered {
  const firstBadRecord = Math.max(1, Math.min(seal.at, proven + 1))
  const reason = `the checkpoint after record ${seal.at} is not genuine or not in its place`
  return { kind: 'tampered', firstBadRecord, proven: firstBadRecord - 1, code: 'audit.checkpoint-invalid', reason }
}

/** The records are sound, but not those of a head that was seen before: whoever had the key rewrote them. */
function blameHistory(size: number, proven: number): Tampered {
  const trusted = size > proven ? proven : 0
  const reason = `the first ${size} records are not those of the head that was seen before`
  return { kind: 'tampered', firstBadRecord: trusted + 1, proven: trusted, code: 'audit.checkpoint-invalid', reason }
}

function truncated(length: number, proven: number, why: string): Tampered {
  const reason = `the log ends after record ${length}, but ${why}`
  return { kind: 'tampered', firstBadRecord: length + 1, proven, code: 'audit.truncated', reason }
}
