import type { DatabaseSync } from 'node:sqlite'

/** Creates the table of locks where it is missing. */
export function createLockTable(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE IF NOT EXISTS parley_lock (
      target TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, saga TEXT NOT NULL, key TEXT NOT NULL,
      until_ms INTEGER NOT NULL,
      PRIMARY KEY (target, owner, name, saga, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS parley_lock_saga ON parley_lock (owner, name, saga, key);
    CREATE INDEX IF NOT EXISTS parley_lock_until ON parley_lock (until_ms);
  `)
}
