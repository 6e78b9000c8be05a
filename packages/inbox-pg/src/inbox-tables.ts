import type { PgTransaction } from './pg-client.ts'

/**
 * The tables of inbox and locks, for whoever makes tables by migrations. An expiry belongs to the saga, so that its epoch,
 * outcomes and tombstones are forgotten together or not at all.
 */
export const inboxTables: string = `
  CREATE TABLE IF NOT EXISTS parley_inbox_saga (
    owner text NOT NULL, name text NOT NULL, saga text NOT NULL,
    epoch bigint NOT NULL, expires_at_ms bigint NOT NULL, closed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (owner, name, saga)
  );
  CREATE INDEX IF NOT EXISTS parley_inbox_saga_expiry ON parley_inbox_saga (expires_at_ms);
  CREATE TABLE IF NOT EXISTS parley_inbox_key (
    owner text NOT NULL, name text NOT NULL, saga text NOT NULL, key text NOT NULL,
    capability text NOT NULL, state text NOT NULL CHECK (state IN ('ok', 'declined', 'tombstone')), body text NOT NULL,
    PRIMARY KEY (owner, name, saga, key),
    FOREIGN KEY (owner, name, saga) REFERENCES parley_inbox_saga (owner, name, saga) ON DELETE CASCADE
  );
  CREATE TABLE IF NOT EXISTS parley_inbox_horizon (
    one integer PRIMARY KEY CHECK (one = 1), forgotten_until_ms bigint NOT NULL
  );
  CREATE TABLE IF NOT EXISTS parley_lock (
    target text NOT NULL, owner text NOT NULL, name text NOT NULL, saga text NOT NULL, key text NOT NULL,
    until_ms bigint NOT NULL,
    PRIMARY KEY (target, owner, name, saga, key)
  );
  CREATE INDEX IF NOT EXISTS parley_lock_saga ON parley_lock (owner, name, saga, key);
  CREATE INDEX IF NOT EXISTS parley_lock_until ON parley_lock (until_ms);
`

/** Keeps processes that start together from making the same table twice: "parley" as a number. */
const tableLock = 123_632_812_484_985n

/**
 * Creates the tables where they are missing, in the transaction of `tx`. Where they are there it touches none: making an
 * index that exists would wait for every command that is under way, and hold up all that come after.
 */
export async function createInboxTables(tx: PgTransaction): Promise<void> {
  const { rows } = await tx.query(`SELECT to_regclass('parley_lock_until') IS NOT NULL AS made`)
  if (rows[0]?.['made'] === true) return
  await tx.query('SELECT pg_advisory_xact_lock($1)', [tableLock.toString()])
  await tx.query(inboxTables)
}
