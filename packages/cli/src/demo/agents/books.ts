import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Hop } from '@parley/mesh'
import { createSystemClock } from '@parley/ports'
import { createParticipant, type Participant } from '@parley/saga'
import { openParticipantDatabase, openSqliteInbox, withTransaction } from '@parley/store-sqlite'

/** What an agent really has: its own database, and the participant that writes to it. */
export interface Books {
  readonly participant: Participant<DatabaseSync>
  close(): void
}

// Every effect leaves a line that nothing removes, so that one that happened twice would show.
const effects = `
  CREATE TABLE IF NOT EXISTS effect (
    id INTEGER PRIMARY KEY, saga TEXT NOT NULL, step TEXT NOT NULL, key TEXT NOT NULL,
    change TEXT NOT NULL CHECK (change IN ('done', 'undone'))
  ) STRICT;
`

/** Opens the books in a folder, and makes `tables` with their first rows if they are new. */
export function openBooks(folder: string, tables: string): Books {
  const db = openParticipantDatabase(join(folder, 'books.sqlite'))
  db.exec(`BEGIN; ${effects} ${tables} COMMIT`)
  const participant = createParticipant({
    inbox: openSqliteInbox(db),
    transaction: (run) => withTransaction(db, run),
    clock: createSystemClock(),
  })
  return { participant, close: () => db.close() }
}

/** Notes an effect in the transaction that makes it. */
export function noteEffect<Declared>(
  tx: DatabaseSync,
  hop: Pick<Hop<Declared>, 'saga'>,
  change: 'done' | 'undone',
): void {
  const { id = '', step = '', key = '' } = hop.saga ?? {}
  tx.prepare('INSERT INTO effect (saga, step, key, change) VALUES (?, ?, ?, ?)').run(id, step, key, change)
}
