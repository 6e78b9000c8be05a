import { readAuditLine, type AuditRecord } from '@parley/audit'
import { readAuditText } from './audit-text.ts'

/** A record of a hop, and the file that it stands in. */
export interface HopRecord {
  readonly file: string
  readonly record: AuditRecord
}

/** Reads what files hold of one hop, by its id or by the leaf of an envelope of it; the caller's side first. */
export async function readHopRecords(hop: string, files: readonly string[]): Promise<readonly HopRecord[]> {
  const found: HopRecord[] = []
  for (const file of files)
    for await (const segment of readAuditText(file))
      for (const line of segment.split('\n')) {
        // A line that does not even name the hop need not be parsed.
        const record = line.includes(hop) ? readAuditLine(line) : undefined
        if (record?.kind === 'hop' && (record['hop'] === hop || record['leaf'] === hop)) found.push({ file, record })
      }
  return found.sort((left, right) => rank(left) - rank(right))
}

function rank({ record }: HopRecord): number {
  return record['side'] === 'caller' ? 0 : 1
}
