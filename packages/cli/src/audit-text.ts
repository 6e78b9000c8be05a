import { open } from 'node:fs/promises'
import { exportAudit } from '@parley/audit'
import { MeshError } from '@parley/protocol'
import { openSqliteStore } from '@parley/store-sqlite'
import { describeFileError } from './describe-file-error.ts'
import { readText } from './read-file.ts'

/** How a SQLite file begins (https://sqlite.org/fileformat.html §1.2). */
const sqliteMagic = 'SQLite format 3\0'

/**
 * Reads an audit log as JSON Lines, out of an export or out of a node's store, a segment at a time. A store is opened for
 * this process alone: rejects with `store.locked` while its node runs, and with `cli.usage` for a file that is not there.
 */
export async function* readAuditText(path: string): AsyncGenerator<string, void, undefined> {
  if (!(await isSqlite(path))) {
    yield await readText(path)
    return
  }
  const store = await openSqliteStore({ path })
  try {
    yield* exportAudit(store)
  } finally {
    await store.close()
  }
}

/** Tells a store from an export by how the file begins. Rejects with `cli.usage` for a file that cannot be read. */
export async function isSqlite(path: string): Promise<boolean> {
  try {
    await using file = await open(path, 'r')
    const { bytesRead, buffer } = await file.read(Buffer.alloc(sqliteMagic.length), 0, sqliteMagic.length, 0)
    return buffer.subarray(0, bytesRead).toString('latin1') === sqliteMagic
  } catch (cause) {
    throw new MeshError('cli.usage', `${path} cannot be read: ${describeFileError(cause)}`, { cause })
  }
}
