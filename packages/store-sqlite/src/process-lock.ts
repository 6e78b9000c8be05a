import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { MeshError } from '@parley/protocol'
import { isBusy, wrapSqliteError } from './sqlite-error.ts'

/**
 * Takes the lock of a store file and returns what gives it back. The lock is an open exclusive transaction on an empty
 * database beside the file: the operating system ends it with the process, however the process ends, so nothing is ever
 * left over. Throws `store.locked` with the process id of the holder.
 */
export function takeProcessLock(path: string): () => void {
  const lock = new DatabaseSync(`${path}-lock`)
  // The id is in a file of its own: to close a file that has locks on it would end them all, even for a mere reader.
  const pidPath = `${path}-pid`
  try {
    lock.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!isBusy(error)) throw wrapSqliteError('store.open-failed', `The lock of ${path} cannot be taken`, error)
    const holder = readHolder(pidPath)
    throw new MeshError(
      'store.locked',
      `The store ${path} is open in process ${holder ?? 'unknown'}; give each process its own file, or end that process.`,
      { details: { path, ...(holder === undefined ? {} : { pid: holder }) } },
    )
  }
  writeFileSync(pidPath, `${process.pid}\n`)
  return () => {
    lock.close()
  }
}

/** The holder may be between taking the lock and writing its id. */
function readHolder(pidPath: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidPath, 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
