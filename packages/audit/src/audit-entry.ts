import type { Hash } from '@parley/ports'
import { hashMerkleLeaf } from '@parley/protocol'
import type { AuditLine } from './audit-line.ts'
import { parseAuditRecord, type AuditRecord } from './audit-record.ts'
import { encodeBase64url } from './base64.ts'

/** A record line of an export, as found: nothing of it is believed yet. */
export interface AuditEntry {
  /** Undefined if the text is no record. */
  readonly record: AuditRecord | undefined
  /** Leaf hash of the text that is there, in bytes and in base64url. */
  readonly leafBytes: Uint8Array
  readonly leaf: string
  /** Whether the line is well formed and states that leaf hash. */
  readonly isSound: boolean
}

const utf8 = new TextEncoder()

/** Hashes what a line holds. A line that is no record line hashes as the empty text, which no record is. */
export function createAuditEntry(line: AuditLine, hash: Hash): AuditEntry {
  const text = line.kind === 'record' ? line.text : ''
  const leafBytes = hashMerkleLeaf(hash, utf8.encode(text))
  const leaf = encodeBase64url(leafBytes)
  const record = parseAuditRecord(text)
  return { record, leafBytes, leaf, isSound: record !== undefined && line.kind === 'record' && line.leaf === leaf }
}
