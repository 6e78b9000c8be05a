import type { Store } from '@parley/ports'
import { decodeSegment } from './audit-tail.ts'

const segmentsPerRead = 64

/**
 * Reads a stored log as JSON Lines, in order: `{"leaf":"<base64url>","record":<the record, exactly as it was hashed>}` and
 * `{"checkpoint": "<note>", "did": "..."}`. Yields a segment's lines at a time, each with its line feed; joined they are
 * what `verifyAuditExport` takes. Only what is durable is there: `flush` first.
 */
export async function* exportAudit(
  store: Store,
  options: { readonly stream?: string } = {},
): AsyncGenerator<string, void, undefined> {
  const { stream = 'audit' } = options
  for (let position = 1; ;) {
    const entries = await store.journal.read(stream, position, segmentsPerRead)
    for (const entry of entries) {
      const lines = decodeSegment(entry.data).filter((line) => !line.startsWith('{"frontier"'))
      yield lines.map((line) => `${line}\n`).join('')
    }
    if (entries.length < segmentsPerRead) return
    position += entries.length
  }
}
