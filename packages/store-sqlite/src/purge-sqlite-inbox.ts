import type { DatabaseSync } from 'node:sqlite'
import { createInboxTables } from './inbox-tables.ts'
import { createLockTable } from './lock-table.ts'
import { withTransaction } from './transaction.ts'

/**
 * Forgets every saga whose expiry is at or before `nowMs` (milliseconds since the Unix epoch), and every lock whose time is
 * over, in a transaction of its own, and remembers that it did: a command that comes later with such an expiry is refused,
 * for it may have been forgotten. Resolves with the number of sagas.
 */
export function purgeSqliteInbox(db: DatabaseSync, nowMs: number): Promise<number> {
  return withTransaction(db, () => {
    const untilMs = Math.floor(nowMs)
    createInboxTables(db)
    createLockTable(db)
    db.prepare('DELETE FROM parley_lock WHERE until_ms <= ?').run(untilMs)
    db.prepare(
      `DELETE FROM parley_inbox_key WHERE (owner, name, saga) IN
         (SELECT owner, name, saga FROM parley_inbox_saga WHERE expires_at_ms <= ?)`,
    ).run(untilMs)
    const { changes } = db.prepare('DELETE FROM parley_inbox_saga WHERE expires_at_ms <= ?').run(untilMs)
    db.prepare(
      `INSERT INTO parley_inbox_horizon (one, forgotten_until_ms) VALUES (1, ?1)
       ON CONFLICT (one) DO UPDATE SET forgotten_until_ms = max(forgotten_until_ms, ?1)`,
    ).run(untilMs)
    return Number(changes)
  })
}
