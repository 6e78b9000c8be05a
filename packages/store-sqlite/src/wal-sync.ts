import { open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'

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
  /** Closes the descriptor. */
  close(): Promise<void>
}

/** Creates the sync of a database's log. The log is opened at the first sync: before the first write there is none. */
export function createWalSync(path: string): WalSync {
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
    async close() {
      if (opening) await (await opening).close()
    },
  }
}
