import type { PgPool } from './pg-client.ts'
import { readNumber } from './pg-row.ts'
import { withPgTransaction } from './with-pg-transaction.ts'

/**
 * Forgets every saga whose expiry is at or before `nowMs` (milliseconds since the Unix epoch), and every lock whose time is
 * over, in a transaction of its own, and remembers that it did: a command that comes later with such an expiry is refused,
 * for it may have been forgotten. Resolves with the number of sagas.
 */
export function purgePgInbox(pool: PgPool, nowMs: number): Promise<number> {
  return withPgTransaction(pool, async (tx) => {
    const untilMs = Math.floor(nowMs)
    await tx.query('DELETE FROM parley_lock WHERE until_ms <= $1', [untilMs])
    const { rows } = await tx.query(
      `WITH gone AS (DELETE FROM parley_inbox_saga WHERE expires_at_ms <= $1 RETURNING 1) SELECT count(*) AS sagas FROM gone`,
      [untilMs],
    )
    await tx.query(
      `INSERT INTO parley_inbox_horizon AS known (one, forgotten_until_ms) VALUES (1, $1)
       ON CONFLICT (one) DO UPDATE SET forgotten_until_ms = greatest(known.forgotten_until_ms, excluded.forgotten_until_ms)`,
      [untilMs],
    )
    return rows[0] ? readNumber(rows[0], 'sagas') : 0
  })
}
