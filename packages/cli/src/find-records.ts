import { readAuditLine, type AuditRecord } from '@parley/audit'
import { readAuditText } from './audit-text.ts'

/** Finds the records of a store or an export that name an id; what they say of it is asked by whoever looks. */
export async function* findRecords(file: string, id: string): AsyncGenerator<AuditRecord, void, undefined> {
  for await (const segment of readAuditText(file))
    for (const line of segment.split('\n')) {
      // A line that does not even name the id need not be parsed.
      const record = line.includes(id) ? readAuditLine(line) : undefined
      if (record) yield record
    }
}
