import type { Hash, Journal } from '@parley/ports'
import {
  createMerkleFrontier,
  encodeBase64url,
  hashMerkleLeaf,
  isSameHash,
  MeshError,
  type MerkleFrontier,
  type SignatureCheck,
} from '@parley/protocol'
import { parseAuditLine, type AuditLine } from './audit-line.ts'
import { firstPrev, parseAuditRecord } from './audit-record.ts'
import { decodeBase64 } from './base64.ts'
import { parseCheckpoint, verifyCheckpoint, type Checkpoint } from './checkpoint.ts'

/** Where a stored log ends, proven from its last checkpoint on. */
export interface AuditTail {
  /** Last position of the stream; 0 if there is none. */
  readonly position: number
  readonly frontier: MerkleFrontier
  /** Leaf hash of the last record, in base64url. */
  readonly last: string
  readonly checkpoint: Checkpoint | undefined
  /** Whether the writer before closed the log: its last record says so and is covered by a checkpoint. */
  readonly isClosed: boolean
}

/** What reading the tail needs. */
export interface AuditTailOptions {
  readonly journal: Journal
  readonly stream: string
  readonly origin: string
  readonly hash: Hash
  /** Verifies the signature of the last checkpoint too. */
  readonly verify?: SignatureCheck | undefined
}

const utf8 = new TextEncoder()
// Bytes that are no UTF-8 become other characters, so that their line no longer fits its hash: tampering, not a crash.
const tolerantUtf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Splits a stored segment into its lines. One that was cut short is a line too: nothing that is stored is passed over. */
export function decodeSegment(data: Uint8Array): string[] {
  const lines = tolerantUtf8.decode(data).split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/**
 * Reads back to the last checkpoint and forward from it, so that opening costs the same however long the log is. Rejects
 * with `audit.checkpoint-invalid`, `audit.record-invalid` or `audit.chain-broken` if the tail does not hold: a log that was
 * tampered with is not continued.
 */
export async function readAuditTail(options: AuditTailOptions): Promise<AuditTail> {
  const { journal, stream, hash } = options
  const position = await journal.last(stream)
  const lines = await readBackToCheckpoint(journal, stream, position)
  const start = lines.findLastIndex((line) => line.kind === 'checkpoint')
  const checkpoint = start === -1 ? undefined : resumeCheckpoint(lines[start], options)
  const frontier = checkpoint ? resumeFrontier(lines[start + 1], checkpoint, hash) : createMerkleFrontier(hash)
  let last = checkpoint ? encodeBase64url(checkpoint.last) : firstPrev
  for (const line of checkpoint ? lines.slice(start + 2) : lines) {
    const seq = frontier.size() + 1
    const record = line.kind === 'record' ? parseAuditRecord(line.text) : undefined
    if (line.kind !== 'record' || !record) throw broken('audit.record-invalid', `record ${seq} cannot be read`)
    const leaf = hashMerkleLeaf(hash, utf8.encode(line.text))
    if (encodeBase64url(leaf) !== line.leaf) throw broken('audit.record-invalid', `record ${seq} was changed`)
    if (record.seq !== seq || record.prev !== last) throw broken('audit.chain-broken', `record ${seq} is not in order`)
    frontier.append(leaf)
    last = line.leaf
  }
  const isClosed = checkpoint?.size === frontier.size() && isClosedBy(lines[start - 1], last)
  return { position, frontier, last, checkpoint, isClosed }
}

async function readBackToCheckpoint(journal: Journal, stream: string, last: number): Promise<AuditLine[]> {
  let lines: AuditLine[] = []
  for (let position = last; position > 0; position--) {
    const [entry] = await journal.read(stream, position, 1)
    if (!entry) throw broken('audit.chain-broken', `segment ${position} of the stream ${stream} is missing`)
    lines = [...decodeSegment(entry.data).map(parseAuditLine), ...lines]
    // One line before the checkpoint is wanted too: it says whether the log was closed.
    if (lines.slice(1).some((line) => line.kind === 'checkpoint')) break
  }
  return lines
}

function resumeCheckpoint(line: AuditLine | undefined, options: AuditTailOptions): Checkpoint {
  const { origin, verify, hash } = options
  const checkpoint =
    line?.kind !== 'checkpoint'
      ? undefined
      : verify
        ? verifyCheckpoint(line.note, line.did, verify, hash)
        : parseCheckpoint(line.note, line.did)
  if (!checkpoint) throw broken('audit.checkpoint-invalid', 'the last checkpoint does not hold')
  if (checkpoint.origin !== origin) {
    throw new MeshError(
      'mesh.config-invalid',
      `the store holds the audit log of ${checkpoint.origin}, not of ${origin}: give this node a store of its own`,
    )
  }
  return checkpoint
}

function resumeFrontier(line: AuditLine | undefined, checkpoint: Checkpoint, hash: Hash): MerkleFrontier {
  const nodes = line?.kind === 'frontier' ? line.nodes.flatMap((node) => decodeBase64(node) ?? []) : []
  try {
    const frontier = createMerkleFrontier(hash, checkpoint.size, nodes)
    if (isSameHash(frontier.root(), checkpoint.root)) return frontier
  } catch (error) {
    throw broken('audit.checkpoint-invalid', 'the frontier of the last checkpoint does not fit its size', error)
  }
  throw broken('audit.checkpoint-invalid', 'the frontier of the last checkpoint does not give its root')
}

function isClosedBy(line: AuditLine | undefined, last: string): boolean {
  const record = line?.kind === 'record' && line.leaf === last ? parseAuditRecord(line.text) : undefined
  return record?.kind === 'lifecycle' && record['event'] === 'closed'
}

function broken(
  code: 'audit.checkpoint-invalid' | 'audit.record-invalid' | 'audit.chain-broken',
  what: string,
  cause?: unknown,
): MeshError {
  return new MeshError(code, `The audit log was not opened: ${what}. Keep it as evidence and start another stream.`, {
    cause,
  })
}
