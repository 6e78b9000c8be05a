import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

// The thread of `createCheckpoint`: a message is a request for one checkpoint, `null` the end.

const db = new DatabaseSync(String(workerData))
db.exec('PRAGMA checkpoint_fullfsync = ON')

parentPort?.on('message', (isAsked: true | null) => {
  if (isAsked) {
    db.exec('PRAGMA wal_checkpoint(PASSIVE)')
    parentPort?.postMessage(isAsked)
  } else {
    db.close()
    parentPort?.close()
  }
})
