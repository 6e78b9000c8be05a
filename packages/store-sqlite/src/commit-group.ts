import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '@parley/ports'
import { isMeshError, type MeshError } from '@parley/protocol'
import { wrapSqliteError } from './sqlite-error.ts'
import { rollBack } from './transaction.ts'

// I1 A promise resolves only after the COMMIT that holds its write, and after that COMMIT is durable.
// I2 A write that refuses (throws a MeshError before it changes anything) fails alone.
// I3 A write that breaks takes its whole transaction back: every promise of the group rejects, nothing of it is kept.
// I4 One sync runs at a time, and what is written meanwhile shares the next one. After one that failed nobody knows what
//    is on the disk: its group rejects, and nothing is written any more.

/** Collects the writes of one turn of the event loop into one transaction, so that many waiters pay one sync. */
export interface CommitGroup {
  /** Queues a synchronous write and resolves with its result once it is durable. */
  run<Result>(write: () => Result): Promise<Result>
  /** Commits what waits now and resolves when all of it is durable, or has failed. */
  flush(): Promise<void>
}

interface Waiting {
  /** Performs the write; returns what settles its promise once the fate of the group is known. */
  readonly perform: () => () => void
  readonly reject: (error: unknown) => void
}

/** A longer transaction would hold the event loop; what is left over is committed in the next turn. */
const maxWritesPerCommit = 512

/** Who is answered goes on at once, which takes longer than the write: the rest of a group is answered in the next turns. */
const settlesPerTurn = 16

/** What a group is told besides its connection. */
export interface CommitGroupOptions {
  /** Makes what was committed durable; without it, the COMMIT does so itself. */
  readonly sync?: (() => Promise<void>) | undefined
  /** Tidies up, after everybody of a group was answered and before anything else is committed. */
  readonly tidy?: (() => Promise<void>) | undefined
  /** A transaction was taken back: what was learned of its writes does not hold. */
  readonly onTakenBack?: () => void
}

/** Creates the group of one connection, which nobody else may write through. */
export function createCommitGroup(
  db: DatabaseSync,
  clock: Clock,
  { sync, tidy, onTakenBack }: CommitGroupOptions = {},
): CommitGroup {
  let waiting: Waiting[] = []
  let scheduled = false
  let syncing: Promise<void> | undefined
  let broken: MeshError | undefined

  const schedule = (): void => {
    if (scheduled || syncing) return
    scheduled = true
    clock.defer(() => {
      scheduled = false
      commit()
    })
  }
  const commit = (): void => {
    if (syncing) return
    const group = waiting.slice(0, maxWritesPerCommit)
    waiting = waiting.slice(maxWritesPerCommit)
    if (group.length === 0) return
    let settles: readonly (() => void)[]
    try {
      if (broken) throw broken
      db.exec('BEGIN IMMEDIATE')
      settles = group.map((write) => write.perform())
      db.exec('COMMIT')
    } catch (error) {
      const failure = wrapFailure(`A transaction of ${group.length} writes failed`, error)
      rejectAll(group, broken ?? takeBack(failure))
      if (waiting.length > 0) schedule()
      return
    }
    if (sync) syncing = makeDurable(sync, group, settles)
    else {
      for (const settle of settles) settle()
      if (waiting.length > 0) schedule()
    }
  }
  const makeDurable = async (
    sync: () => Promise<void>,
    group: readonly Waiting[],
    settles: readonly (() => void)[],
  ): Promise<void> => {
    try {
      await sync()
      await settleInTurns(settles)
      await tidy?.()
    } catch (error) {
      broken = wrapFailure('The log could not be synced; open the store again', error)
      rejectAll(group, broken)
    } finally {
      syncing = undefined
      if (waiting.length > 0) schedule()
    }
  }
  const settleInTurns = async (settles: readonly (() => void)[]): Promise<void> => {
    for (const [at, settle] of settles.entries()) {
      if (at > 0 && at % settlesPerTurn === 0) await new Promise<void>((resolve) => clock.defer(resolve))
      settle()
    }
  }
  const takeBack = (failure: MeshError): MeshError => {
    onTakenBack?.()
    try {
      rollBack(db)
      return failure
    } catch (error) {
      return wrapFailure(`${failure.message}, and the rollback failed`, error)
    }
  }
  return {
    run: (write) =>
      new Promise((resolve, reject) => {
        const perform = (): (() => void) => {
          try {
            const result = write()
            return () => {
              resolve(result)
            }
          } catch (error) {
            if (!isMeshError(error)) throw error
            return () => {
              reject(error)
            }
          }
        }
        waiting.push({ perform, reject })
        schedule()
      }),
    async flush() {
      while (syncing || waiting.length > 0) {
        await syncing
        commit()
      }
    },
  }
}

function rejectAll(group: readonly Waiting[], error: MeshError): void {
  for (const write of group) write.reject(error)
}

function wrapFailure(doing: string, error: unknown): MeshError {
  return isMeshError(error) ? error : wrapSqliteError('store.write-failed', doing, error)
}
