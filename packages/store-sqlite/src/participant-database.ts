import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { durablePragmas } from './durable-pragmas.ts'
import { wrapSqliteError } from './sqlite-error.ts'

/** How long a transaction waits for another connection of the same file. */
const busyTimeoutMs = 5_000

/**
 * Opens a participant's own database so that its commits are durable and several processes can share it. Throws
 * `store.open-failed` or `store.corrupt`.
 */
export function openParticipantDatabase(path: string): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
    db = new DatabaseSync(path)
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; ${durablePragmas}`)
    return db
  } catch (error) {
    db?.close()
    throw wrapSqliteError('store.open-failed', `The participant's database ${path} cannot be opened`, error)
  }
}
