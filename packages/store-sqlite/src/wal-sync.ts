import { open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createCheckpoint } from './checkpoint.ts'

/**
 * Makes what was committed to a write-ahead log durable, off the main thread.
 *
 * A COMMIT under `synchronous=NORMAL` appends to the log and does not wait for the disk. SQLite reads a log from its start
 * to the first frame that does not hold, so a sync that begins after a COMMIT makes that one and all before it durable. It
 * keeps no locks on the log, so that closing this descriptor ends none.
 */
export interface WalSync {
  /** Resolves when everything committed before the call is on the disk. */
  sync(): Promise<void>
  /**
   * Moves the log into the database where it is time to; nobody may write until it resolves. Most of it is moved before, while
   * others write: what is left takes a few milliseconds, after which the log begins anew. Never rejects.
   */
  checkpoint(): Promise<void>
  /** Closes the descriptor. */
  close(): Promise<void>
}

/** A commit of one to 64 sagas writes 4 to 40 pages of 4 KiB, so that the log is some 8 to 80 MB long when most of it is moved. */
const commitsPerCheckpoint = 500

/** Creates the sync of a database's log. The log is opened at the first sync: before the first write there is none. */
export function createWalSync(path: string, perCheckpoint: number = commitsPerCheckpoint): WalSync {
  const thread = createCheckpoint(path)
  let commits = 0
  let hasWarned = false
  /** The move of most of the log, and whether it is done. */
  let moving: Promise<void> | undefined
  let isMoved = false
  const move = async (): Promise<void> => {
    try {
      await thread.run()
    } catch (error) {
      // What was committed is on the disk all the same, and SQLite moves a log that grows too long by itself.
      if (!hasWarned) process.emitWarning(`${path}: the thread of the checkpoints failed: ${String(error)}`)
      hasWarned = true
    }
  }
  let opening: Promise<FileHandle> | undefined
  const openLog = async (): Promise<FileHandle> => {
    const log = await open(`${path}-wal`, 'r+')
    await using folder = await open(dirname(path), 'r')
    // The log's name has to be durable too.
    await folder.sync()
    return log
  }
  return {
    async sync() {
      opening ??= openLog()
      const log = await opening
      await log.datasync()
    },
    async checkpoint() {
      if (++commits < perCheckpoint) return
      moving ??= move().then(() => {
        isMoved = true
      })
      // Who commits faster than the disk takes it waits for the disk.
      if (!isMoved && commits < 2 * perCheckpoint) return
      await moving
      moving = undefined
      isMoved = false
      commits = 0
      await move()
    },
    async close() {
      try {
        await moving
        await thread.close()
      } finally {
        if (opening) await (await opening).close()
      }
    },
  }
}
