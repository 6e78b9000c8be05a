/** One line of a stored segment or an export. */
export type AuditLine =
  | { readonly kind: 'record'; readonly text: string; readonly leaf: string }
  | { readonly kind: 'checkpoint'; readonly note: string; readonly did: string }
  /** Nodes of the Merkle frontier at the checkpoint before: in the store only, to go on without reading everything. */
  | { readonly kind: 'frontier'; readonly nodes: readonly string[] }
  /** Not a line that `formatAuditLine` writes. `claims` says what it looks like. */
  | { readonly kind: 'invalid'; readonly claims: 'record' | 'checkpoint' }

/** Writes a line, without its line feed. */
export function formatAuditLine(line: Exclude<AuditLine, { kind: 'invalid' }>): string {
  switch (line.kind) {
    case 'record':
      return JSON.stringify({ record: line.text, leaf: line.leaf })
    case 'checkpoint':
      return JSON.stringify({ checkpoint: line.note, did: line.did })
    case 'frontier':
      return JSON.stringify({ frontier: line.nodes })
  }
}

/** Reads a line. Only the exact text that `formatAuditLine` writes is valid, so no byte of it is free to change. */
export function parseAuditLine(text: string): AuditLine {
  const line = readLine(text)
  if (line && formatAuditLine(line) === text) return line
  return { kind: 'invalid', claims: text.startsWith('{"checkpoint"') ? 'checkpoint' : 'record' }
}

function readLine(text: string): Exclude<AuditLine, { kind: 'invalid' }> | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const { record, leaf, checkpoint, did, frontier } = parsed as Readonly<Record<string, unknown>>
  if (typeof record === 'string' && typeof leaf === 'string') return { kind: 'record', text: record, leaf }
  if (typeof checkpoint === 'string' && typeof did === 'string') return { kind: 'checkpoint', note: checkpoint, did }
  if (Array.isArray(frontier) && frontier.every((node) => typeof node === 'string')) {
    return { kind: 'frontier', nodes: frontier }
  }
  return undefined
}
