import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { InboxCommand, LockSpan, LockVerdict, TargetLocks } from '@parley/ports'
import { createLockTable } from './lock-table.ts'
import { readNumber } from './sqlite-row.ts'

/** Locks that answer at once, inside the transaction of their first argument. */
export interface SqliteLocks extends TargetLocks<DatabaseSync> {
  take(tx: DatabaseSync, command: InboxCommand, target: string, span: LockSpan): LockVerdict
  release(tx: DatabaseSync, command: InboxCommand): void
  releaseSaga(tx: DatabaseSync, command: InboxCommand): void
}

interface LockStatements {
  readonly selectHolder: StatementSync
  readonly insert: StatementSync
  readonly release: StatementSync
  readonly releaseSaga: StatementSync
}

/** Keeps a participant's semantic locks in its own database. Creates its table (`parley_lock`) if it is not there. */
export function openSqliteLocks(db: DatabaseSync): SqliteLocks {
  createLockTable(db)
  const prepared = new WeakMap<DatabaseSync, LockStatements>()
  const statementsOf = (tx: DatabaseSync): LockStatements => {
    const statements = prepared.get(tx) ?? prepareLockStatements(tx)
    prepared.set(tx, statements)
    return statements
  }
  return {
    take(tx, { owner, name, saga, key }, target, { nowMs, untilMs }) {
      const { selectHolder, insert } = statementsOf(tx)
      const holder = selectHolder.get(target, Math.floor(nowMs), owner, name, saga)
      if (holder) return { kind: 'held', untilMs: readNumber(holder, 'until_ms') }
      insert.run(target, owner, name, saga, key, Math.floor(untilMs))
      return { kind: 'taken' }
    },
    release(tx, { owner, name, saga, key }) {
      statementsOf(tx).release.run(owner, name, saga, key)
    },
    releaseSaga(tx, { owner, name, saga }) {
      statementsOf(tx).releaseSaga.run(owner, name, saga)
    },
  }
}

function prepareLockStatements(db: DatabaseSync): LockStatements {
  return {
    selectHolder: db.prepare(
      `SELECT until_ms FROM parley_lock WHERE target = ? AND until_ms > ? AND (owner, name, saga) IS NOT (?, ?, ?)
       ORDER BY until_ms DESC LIMIT 1`,
    ),
    insert: db.prepare(
      `INSERT INTO parley_lock (target, owner, name, saga, key, until_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
       ON CONFLICT (target, owner, name, saga, key) DO UPDATE SET until_ms = max(until_ms, ?6)`,
    ),
    release: db.prepare('DELETE FROM parley_lock WHERE owner = ? AND name = ? AND saga = ? AND key = ?'),
    releaseSaga: db.prepare('DELETE FROM parley_lock WHERE owner = ? AND name = ? AND saga = ?'),
  }
}
