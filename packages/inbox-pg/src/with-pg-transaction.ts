import { MeshError } from '@parley/protocol'
import type { PgClient, PgPool, PgTransaction } from './pg-client.ts'
import { isServersNo, isWorthRepeating } from './pg-error.ts'

// I1 Resolves only after the server said that it committed.
// I2 Rejects with what `work` threw only where COMMIT was never sent.
// I3 Runs `work` again only where the server rolled back what it did before.

/** How often a transaction that the server takes back for the sake of others is run in all, where the caller does not say. */
export const defaultAttempts = 5

/** How a transaction is run. */
export interface PgTransactionOptions {
  /** Runs in all, 1 or more; default 5. What is left then is rejected with, and its sender tries again. */
  readonly attempts?: number
  /** Default: the database's own, READ COMMITTED unless it was changed. */
  readonly isolation?: 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE'
}

/**
 * Runs `work` between BEGIN and COMMIT on a connection of its own. A serialization failure or a deadlock (SQLSTATE 40001,
 * 40P01) runs it again, so that all its effects go through `tx`. Rejects with what `work` threw, rolled back;
 * `store.unavailable` if nothing could begin; `store.write-failed` if the server refused the COMMIT;
 * `store.outcome-unknown` if the connection was lost during it.
 */
export async function withPgTransaction<Result>(
  pool: PgPool,
  work: (tx: PgTransaction) => Result | Promise<Result>,
  { attempts = defaultAttempts, isolation }: PgTransactionOptions = {},
): Promise<Result> {
  const begin = isolation === undefined ? 'BEGIN' : `BEGIN ISOLATION LEVEL ${isolation}`
  for (let attempt = 1; ; attempt++) {
    const client = await connect(pool)
    let lost: Error | undefined
    const onLost = (error: Error): void => {
      lost = error
    }
    // A connection that ends while nobody waits for it tells by this event alone, and a process that does not listen ends.
    client.on('error', onLost)
    try {
      return await runOnce(client, begin, work)
    } catch (error) {
      if (attempt >= attempts || !isWorthRepeating(error)) throw unwrap(error)
    } finally {
      const isUnusable = lost !== undefined || broken.has(client)
      client.release(isUnusable)
      // One that is thrown away may still say that it ended; the pool listens to the others.
      if (!isUnusable) client.off('error', onLost)
    }
  }
}

/** Connections whose transaction could not be ended: nobody may go on with them. */
const broken = new WeakSet<PgClient>()

/** A serialization failure at COMMIT, which is run again; what it is for the caller once nobody runs it any more. */
class CommitRefused extends Error {
  readonly code: string
  readonly refusal: MeshError

  constructor(refusal: MeshError, code: string) {
    super(refusal.message)
    this.refusal = refusal
    this.code = code
  }
}

async function connect(pool: PgPool): Promise<PgClient> {
  try {
    return await pool.connect()
  } catch (error) {
    throw unavailable('no connection to the database', error)
  }
}

async function runOnce<Result>(
  client: PgClient,
  begin: string,
  work: (tx: PgTransaction) => Result | Promise<Result>,
): Promise<Result> {
  try {
    await client.query(begin)
  } catch (error) {
    broken.add(client)
    throw unavailable('the transaction could not begin', error)
  }
  let result: Result
  try {
    result = await work(client)
  } catch (error) {
    await rollBack(client)
    throw error
  }
  await commit(client)
  return result
}

async function commit(client: PgClient): Promise<void> {
  let command: string
  try {
    ;({ command } = await client.query('COMMIT'))
  } catch (error) {
    broken.add(client)
    if (!isServersNo(error))
      throw new MeshError('store.outcome-unknown', 'the connection was lost during COMMIT: look up what became of it', {
        cause: error,
      })
    const refusal = new MeshError('store.write-failed', `the server refused the COMMIT: ${describe(error)}`, {
      cause: error,
    })
    throw isWorthRepeating(error) ? new CommitRefused(refusal, (error as { code: string }).code) : refusal
  }
  // The COMMIT of a transaction in which a statement failed is a ROLLBACK that succeeds.
  if (command !== 'COMMIT')
    throw new MeshError('store.write-failed', 'a statement of the transaction failed, so that nothing of it was kept')
}

/** Without an answer the connection is closed, and the server rolls back by itself. */
async function rollBack(client: PgClient): Promise<void> {
  try {
    await client.query('ROLLBACK')
  } catch {
    broken.add(client)
  }
}

function unwrap(error: unknown): unknown {
  return error instanceof CommitRefused ? error.refusal : error
}

function unavailable(what: string, error: unknown): MeshError {
  return new MeshError('store.unavailable', `${what}: ${describe(error)}`, { cause: error })
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : 'no error was given'
}
