import { isMeshError } from '@parley/protocol'
import { openSqliteStore } from '@parley/store-sqlite'
import { isSqlite } from '../is-sqlite.ts'
import { failed, type Finding } from './finding.ts'

/** Checks that a store opens, is nobody else's, and syncs each commit. A file that is not there is not made. */
export async function checkStore(path: string): Promise<Finding> {
  const check = 'store'
  const problem = await findProblem(path)
  if (problem !== undefined)
    return {
      check,
      level: 'fail',
      text: problem,
      todo: 'Correct the path, or start the node once: it makes the file.',
    }
  try {
    const store = await openSqliteStore({ path })
    const { journalMode, syncsEachCommit, sqliteVersion } = store.facts()
    await store.close()
    const text = `${path}: SQLite ${sqliteVersion}, journal ${journalMode}, ${syncsEachCommit ? 'each commit synced before it is answered' : 'commits not synced'}`
    if (syncsEachCommit) return { check, level: 'ok', text }
    return {
      check,
      level: 'fail',
      text,
      todo: 'Put the store on a local disk: a saga must not forget what it acknowledged.',
    }
  } catch (error) {
    if (isMeshError(error) && error.code === 'store.locked')
      return {
        check,
        level: 'warn',
        text: error.message,
        todo: 'Fine if that is the running node; its `health()` says how it is. Stop it to have the file itself checked.',
      }
    return failed(check, error)
  }
}

/** Says why a path names no store that could be opened. */
async function findProblem(path: string): Promise<string | undefined> {
  try {
    return (await isSqlite(path)) ? undefined : `${path} is not the store of a node`
  } catch (error) {
    if (!isMeshError(error)) throw error
    return error.message
  }
}
