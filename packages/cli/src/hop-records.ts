import type { AuditRecord } from '@parley/audit'
import { findRecords } from './find-records.ts'

/** A record of a hop, and the file that it stands in. */
export interface HopRecord {
  readonly file: string
  readonly record: AuditRecord
}

/** Reads what files hold of one hop, by its id or by the leaf of an envelope of it; the caller's side first. */
export async function readHopRecords(hop: string, files: readonly string[]): Promise<readonly HopRecord[]> {
  const found: HopRecord[] = []
  for (const file of files)
    for await (const record of findRecords(file, hop))
      if (record.kind === 'hop' && (record['hop'] === hop || record['leaf'] === hop)) found.push({ file, record })
  return found.sort((left, right) => rank(left) - rank(right))
}

function rank({ record }: HopRecord): number {
  return record['side'] === 'caller' ? 0 : 1
}
