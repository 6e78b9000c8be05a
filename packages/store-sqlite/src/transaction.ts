import type { DatabaseSync } from 'node:sqlite'
import { createSystemClock } from '@parley/ports'
import { wrapSqliteError } from './sqlite-error.ts'

// I1 A promise resolves only after the COMMIT that holds its work.
// I2 Work that throws takes back what it did, and nothing else.
// I3 A commit that fails takes back the work of its whole group, and every promise of it rejects.

/** One transaction of a group. */
interface Waiting {
  /** Does the work; returns what settles its promise once the group is durable. */
  readonly perform: () => Promise<() => void>
  readonly reject: (error: unknown) => void
}

/** The transactions of one connection that have not begun. */
interface Queue {
  waiting: Waiting[]
  isRunning: boolean
}

const clock = createSystemClock()
const queues = new WeakMap<DatabaseSync, Queue>()

/** How many transactions share a commit at most. */
const maxGroup = 64
/** Work that took this long has kept those before it waiting for their commit; those after it wait for the next one. */
const maxGroupMs = 5

/**
 * Runs `work` in a transaction, and rolls back if it throws or rejects. Transactions of one connection run one after the
 * other, so `work` may await; it must not call `withTransaction` of the same connection, and others must not use the
 * connection meanwhile. Those that wait at the same time share one COMMIT, and so one sync: each is a savepoint of its own.
 * Work that waits for more than its database therefore keeps the answers of others waiting, too.
 * Resolves after COMMIT: what `work` did is durable, or nothing of it happened. Rejects with what `work` threw, or with
 * `store.write-failed` if the transaction could not begin or commit.
 */
export function withTransaction<Result>(
  db: DatabaseSync,
  work: (tx: DatabaseSync) => Result | Promise<Result>,
): Promise<Result> {
  const queue = queues.get(db) ?? { waiting: [], isRunning: false }
  queues.set(db, queue)
  return new Promise<Result>((resolve, reject) => {
    const perform = async (): Promise<() => void> => {
      const result = await work(db)
      return () => resolve(result)
    }
    queue.waiting.push({ perform, reject })
    if (queue.isRunning) return
    queue.isRunning = true
    // What comes in one turn of the event loop comes together.
    clock.defer(() => void runQueue(db, queue))
  })
}

async function runQueue(db: DatabaseSync, queue: Queue): Promise<void> {
  while (queue.waiting.length > 0) {
    const group = queue.waiting.splice(0, maxGroup)
    const ran = await runGroup(db, group)
    queue.waiting.unshift(...group.slice(ran))
  }
  queue.isRunning = false
}

/** Runs transactions of a group and commits them; tells how many it ran. */
async function runGroup(db: DatabaseSync, group: readonly Waiting[]): Promise<number> {
  const settles: (() => void)[] = []
  let ran = 0
  try {
    control(db, 'BEGIN IMMEDIATE')
    const startMs = clock.monotonic()
    for (const one of group) {
      ran++
      settles.push(await runOne(db, one))
      if (clock.monotonic() - startMs > maxGroupMs) break
    }
    control(db, 'COMMIT')
  } catch (error) {
    const all = ran === 0 ? group : group.slice(0, ran)
    const failure = ran === 0 ? error : takeBack(db, error)
    for (const one of all) one.reject(failure)
    return all.length
  }
  for (const settle of settles) settle()
  return ran
}

async function runOne(db: DatabaseSync, { perform, reject }: Waiting): Promise<() => void> {
  control(db, 'SAVEPOINT one')
  try {
    const settle = await perform()
    control(db, 'RELEASE one')
    return settle
  } catch (error) {
    control(db, 'ROLLBACK TO one')
    control(db, 'RELEASE one')
    return () => reject(error)
  }
}

function takeBack(db: DatabaseSync, failure: unknown): unknown {
  try {
    rollBack(db)
    return failure
  } catch (error) {
    return wrapSqliteError('store.write-failed', 'A transaction failed, and so did its rollback', error)
  }
}

/** Rolls back, also where SQLite already did so by itself (it does on a full disk, for instance). */
export function rollBack(db: DatabaseSync): void {
  try {
    db.exec('ROLLBACK')
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('no transaction is active')) throw error
  }
}

type Control = 'BEGIN IMMEDIATE' | 'COMMIT' | 'SAVEPOINT one' | 'RELEASE one' | 'ROLLBACK TO one'

function control(db: DatabaseSync, statement: Control): void {
  try {
    db.exec(statement)
  } catch (error) {
    throw wrapSqliteError('store.write-failed', `${statement} failed`, error)
  }
}
