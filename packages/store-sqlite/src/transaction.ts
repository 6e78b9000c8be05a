import type { DatabaseSync } from 'node:sqlite'
import { wrapSqliteError } from './sqlite-error.ts'

/** The last transaction of each connection that `withTransaction` was asked for: the next one waits for it. */
const lastOf = new WeakMap<DatabaseSync, Promise<unknown>>()

/**
 * Runs `work` inside BEGIN IMMEDIATE and COMMIT, and rolls back if it throws or rejects. Transactions of one connection
 * run one after the other, so `work` may await; it must not call `withTransaction` of the same connection, and others
 * must not use the connection meanwhile. Resolves after COMMIT: what `work` did is durable, or nothing of it happened.
 * Rejects with what `work` threw, or with `store.write-failed` if the transaction could not begin or commit.
 */
export async function withTransaction<Result>(
  db: DatabaseSync,
  work: (tx: DatabaseSync) => Result | Promise<Result>,
): Promise<Result> {
  const previous = lastOf.get(db) ?? Promise.resolve()
  const current = previous.then(async () => {
    control(db, 'BEGIN IMMEDIATE')
    try {
      const result = await work(db)
      control(db, 'COMMIT')
      return result
    } catch (error) {
      rollBack(db)
      throw error
    }
  })
  lastOf.set(
    db,
    current.catch(() => undefined),
  )
  return current
}

/** Rolls back, also where SQLite already did so by itself (it does on a full disk, for instance). */
export function rollBack(db: DatabaseSync): void {
  try {
    db.exec('ROLLBACK')
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('no transaction is active')) throw error
  }
}

function control(db: DatabaseSync, statement: 'BEGIN IMMEDIATE' | 'COMMIT'): void {
  try {
    db.exec(statement)
  } catch (error) {
    throw wrapSqliteError('store.write-failed', `${statement} failed`, error)
  }
}
