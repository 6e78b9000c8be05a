import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/**
 * Moves what the write-ahead log holds into the database file, in a thread of its own: what the disk takes for that holds
 * nobody's event loop. Where others write meanwhile, the log does not begin anew.
 */
export interface Checkpoint {
  /** Resolves when all that was committed before the call was moved. Rejects where the thread failed; the next call starts another. */
  run(): Promise<void>
  /** Ends the thread, and with it its connection. */
  close(): Promise<void>
}

// The build gives the file another ending.
const script = new URL(`checkpoint-worker${extname(import.meta.url)}`, import.meta.url)

/** Creates the checkpoint of a database in WAL mode. The thread is started at the first one. */
export function createCheckpoint(path: string): Checkpoint {
  let worker: Worker | undefined
  return {
    async run() {
      const thread = (worker ??= new Worker(script, { workerData: path, execArgv: [] }))
      // It keeps the process alive only while it works. `once` rejects with an `error` of the thread.
      thread.ref()
      thread.postMessage(true)
      try {
        await once(thread, 'message')
      } catch (error) {
        worker = undefined
        throw error
      }
      thread.unref()
    },
    async close() {
      if (!worker) return
      worker.ref()
      worker.postMessage(null)
      await once(worker, 'exit')
    },
  }
}
