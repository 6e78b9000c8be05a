import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** The prepared statements of an inbox on one connection. */
export interface InboxStatements {
  readonly selectHorizon: StatementSync
  readonly selectSaga: StatementSync
  readonly upsertSaga: StatementSync
  readonly selectKey: StatementSync
  readonly insertKey: StatementSync
  readonly buryKey: StatementSync
  readonly deleteKeys: StatementSync
  readonly closeSaga: StatementSync
}

// An expiry belongs to the saga, so that its epoch, outcomes and tombstones are forgotten together or not at all.
const tables = `
  CREATE TABLE IF NOT EXISTS parley_inbox_saga (
    owner TEXT NOT NULL, name TEXT NOT NULL, saga TEXT NOT NULL, epoch INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (owner, name, saga)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS parley_inbox_saga_expiry ON parley_inbox_saga (expires_at_ms);
  CREATE TABLE IF NOT EXISTS parley_inbox_key (
    owner TEXT NOT NULL, name TEXT NOT NULL, saga TEXT NOT NULL, key TEXT NOT NULL,
    capability TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('ok', 'declined', 'tombstone')), body TEXT NOT NULL,
    PRIMARY KEY (owner, name, saga, key),
    FOREIGN KEY (owner, name, saga) REFERENCES parley_inbox_saga (owner, name, saga)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS parley_inbox_horizon (
    one INTEGER PRIMARY KEY CHECK (one = 1), forgotten_until_ms INTEGER NOT NULL
  ) STRICT;
`

/** Creates the tables of the inbox where they are missing. */
export function createInboxTables(db: DatabaseSync): void {
  db.exec(tables)
}

/** Prepares what an inbox asks. */
export function prepareInboxStatements(db: DatabaseSync): InboxStatements {
  return {
    selectHorizon: db.prepare('SELECT forgotten_until_ms FROM parley_inbox_horizon'),
    selectSaga: db.prepare('SELECT epoch, closed FROM parley_inbox_saga WHERE owner = ? AND name = ? AND saga = ?'),
    upsertSaga: db.prepare(
      `INSERT INTO parley_inbox_saga (owner, name, saga, epoch, expires_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
       ON CONFLICT (owner, name, saga)
       DO UPDATE SET epoch = max(epoch, ?4), expires_at_ms = max(expires_at_ms, ?5)`,
    ),
    selectKey: db.prepare(
      'SELECT capability, state, body FROM parley_inbox_key WHERE owner = ? AND name = ? AND saga = ? AND key = ?',
    ),
    insertKey: db.prepare(
      'INSERT INTO parley_inbox_key (owner, name, saga, key, capability, state, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    buryKey: db.prepare(
      `UPDATE parley_inbox_key SET state = 'tombstone', body = '' WHERE owner = ? AND name = ? AND saga = ? AND key = ?`,
    ),
    deleteKeys: db.prepare('DELETE FROM parley_inbox_key WHERE owner = ? AND name = ? AND saga = ?'),
    closeSaga: db.prepare('UPDATE parley_inbox_saga SET closed = 1 WHERE owner = ? AND name = ? AND saga = ?'),
  }
}
