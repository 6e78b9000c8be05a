import { parseAuditRecord, type AuditRecord } from './audit-record.ts'

/** One line of a stored segment or an export. */
export type AuditLine =
  | { readonly kind: 'record'; readonly text: string; readonly leaf: string }
  | { readonly kind: 'checkpoint'; readonly note: string; readonly did: string }
  /** Nodes of the Merkle frontier at the checkpoint before: in the store only, to go on without reading everything. */
  | { readonly kind: 'frontier'; readonly nodes: readonly string[] }
  /** Not a line that `formatAuditLine` writes. `claims` says what it looks like. */
  | { readonly kind: 'invalid'; readonly claims: 'record' | 'checkpoint' }

const recordStart = '{"leaf":"'
const recordMiddle = '","record":'
/** Characters of a leaf hash: 32 bytes in base64url. */
const leafChars = 43
const textAt = recordStart.length + leafChars + recordMiddle.length

/** Writes a line, without its line feed. A record stands in it as its exact text, which is JSON: the line is JSON too. */
export function formatAuditLine(line: Exclude<AuditLine, { kind: 'invalid' }>): string {
  switch (line.kind) {
    case 'record':
      return `${recordStart}${line.leaf}${recordMiddle}${line.text}}`
    case 'checkpoint':
      return JSON.stringify({ checkpoint: line.note, did: line.did })
    case 'frontier':
      return JSON.stringify({ frontier: line.nodes })
  }
}

/** Tells whether a line claims to be a record. */
export function isAuditRecordLine(text: string): boolean {
  return text.startsWith(recordStart)
}

/** Reads a line. Only the exact text that `formatAuditLine` writes is valid, so no byte of it is free to change. */
export function parseAuditLine(text: string): AuditLine {
  const line = readLine(text)
  if (line && formatAuditLine(line) === text) return line
  return { kind: 'invalid', claims: text.startsWith('{"checkpoint"') ? 'checkpoint' : 'record' }
}

/** Reads the record of an exported line; undefined for any other line. Nothing of it is proven: see `verifyAuditExport`. */
export function readAuditLine(text: string): AuditRecord | undefined {
  const line = parseAuditLine(text)
  return line.kind === 'record' ? parseAuditRecord(line.text) : undefined
}

function readLine(text: string): Exclude<AuditLine, { kind: 'invalid' }> | undefined {
  if (isAuditRecordLine(text)) {
    const leaf = text.slice(recordStart.length, recordStart.length + leafChars)
    return { kind: 'record', text: text.slice(textAt, -1), leaf }
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const { checkpoint, did, frontier } = parsed as Readonly<Record<string, unknown>>
  if (typeof checkpoint === 'string' && typeof did === 'string') return { kind: 'checkpoint', note: checkpoint, did }
  if (Array.isArray(frontier) && frontier.every((node) => typeof node === 'string')) {
    return { kind: 'frontier', nodes: frontier }
  }
  return undefined
}
