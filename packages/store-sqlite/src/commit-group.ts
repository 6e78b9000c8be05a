import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '@parley/ports'
import { isMeshError, type MeshError } from '@parley/protocol'
import { wrapSqliteError } from './sqlite-error.ts'
import { rollBack } from './transaction.ts'

// I1 A promise resolves only after the COMMIT that holds its write.
// I2 A write that refuses (throws a MeshError before it changes anything) fails alone.
// I3 A write that breaks takes its whole transaction back: every promise of the group rejects, nothing of it is kept.

/** Collects the writes of one turn of the event loop into one transaction, so that many waiters pay one fsync. */
export interface CommitGroup {
  /** Queues a synchronous write and resolves with its result once it is durable. */
  run<Result>(write: () => Result): Promise<Result>
  /** Commits what waits now. */
  flush(): void
}

interface Waiting {
  /** Performs the write; returns what settles its promise once the fate of the group is known. */
  readonly perform: () => () => void
  readonly reject: (error: unknown) => void
}

/** A longer transaction would hold the event loop; what is left over is committed in the next turn. */
const maxWritesPerCommit = 512

/** Creates the group of one connection, which nobody else may write through. */
export function createCommitGroup(db: DatabaseSync, clock: Clock): CommitGroup {
  let waiting: Waiting[] = []
  let scheduled = false

  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    clock.defer(() => {
      scheduled = false
      commit()
    })
  }
  const commit = (): void => {
    const group = waiting.slice(0, maxWritesPerCommit)
    waiting = waiting.slice(maxWritesPerCommit)
    if (group.length === 0) return
    if (waiting.length > 0) schedule()
    let settles: readonly (() => void)[]
    try {
      db.exec('BEGIN IMMEDIATE')
      settles = group.map((write) => write.perform())
      db.exec('COMMIT')
    } catch (error) {
      const failure = wrapSqliteError('store.write-failed', `A transaction of ${group.length} writes failed`, error)
      const fate = takeBack(failure)
      for (const write of group) write.reject(fate)
      return
    }
    for (const settle of settles) settle()
  }
  const takeBack = (failure: MeshError): MeshError => {
    try {
      rollBack(db)
      return failure
    } catch (error) {
      return wrapSqliteError('store.write-failed', `${failure.message}, and the rollback failed`, error)
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
    flush() {
      while (waiting.length > 0) commit()
    },
  }
}
