import { exportAudit } from '@parley/audit'
import { isSqlite } from './is-sqlite.ts'
import { readText } from './read-file.ts'
import { openKeptStore } from './with-store.ts'

/**
 * Reads an audit log as JSON Lines, out of an export or out of a node's store, a segment at a time. A store is opened for
 * this process alone: rejects with `store.locked` while its node runs, and with `cli.usage` for a file that is not there.
 */
export async function* readAuditText(path: string): AsyncGenerator<string, void, undefined> {
  if (!(await isSqlite(path))) {
    yield await readText(path)
    return
  }
  const store = await openKeptStore(path)
  try {
    yield* exportAudit(store)
  } finally {
    await store.close()
  }
}
