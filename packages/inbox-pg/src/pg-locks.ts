import type { TargetLocks } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { PgTransaction } from './pg-client.ts'
import { readNumber } from './pg-row.ts'

// Two sagas that want one target at the same moment wait for each other's transaction; targets that hash alike wait, too.
const queueFor = `
  SELECT pg_advisory_xact_lock(hashtextextended('parley_lock ' || $1, 0)), current_setting('transaction_isolation') AS level`

const selectHolder = `
  SELECT until_ms FROM parley_lock
  WHERE target = $1 AND until_ms > $5 AND (owner, name, saga) IS DISTINCT FROM ($2, $3, $4)
  ORDER BY until_ms DESC LIMIT 1`

const insertLock = `
  INSERT INTO parley_lock AS held (target, owner, name, saga, key, until_ms) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (target, owner, name, saga, key) DO UPDATE SET until_ms = greatest(held.until_ms, excluded.until_ms)`

/**
 * Creates locks over the tables of `createInboxTables`. `take` throws `store.unsafe-config` at REPEATABLE READ: what it read
 * before it waited is all that such a transaction sees, so two sagas could hold one target.
 */
export function createPgLocks(): TargetLocks<PgTransaction> {
  return {
    async take(tx, { owner, name, saga, key }, target, { nowMs, untilMs }) {
      const [queued] = (await tx.query(queueFor, [target])).rows
      if (queued?.['level'] === 'repeatable read')
        throw new MeshError(
          'store.unsafe-config',
          'locks see nothing new at REPEATABLE READ; use READ COMMITTED or SERIALIZABLE',
        )
      const [holder] = (await tx.query(selectHolder, [target, owner, name, saga, Math.floor(nowMs)])).rows
      if (holder) return { kind: 'held', untilMs: readNumber(holder, 'until_ms') }
      await tx.query(insertLock, [target, owner, name, saga, key, Math.floor(untilMs)])
      return { kind: 'taken' }
    },
    async release(tx, { owner, name, saga, key }) {
      await tx.query('DELETE FROM parley_lock WHERE owner = $1 AND name = $2 AND saga = $3 AND key = $4', [
        owner,
        name,
        saga,
        key,
      ])
    },
    async releaseSaga(tx, { owner, name, saga }) {
      await tx.query('DELETE FROM parley_lock WHERE owner = $1 AND name = $2 AND saga = $3', [owner, name, saga])
    },
  }
}
