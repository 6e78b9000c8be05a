import { access } from 'node:fs/promises'
import { isMeshError } from '@parley/protocol'
import { openSqliteStore } from '@parley/store-sqlite'
import { failed, type Finding } from './finding.ts'

/** Checks that a store opens, is nobody else's, and syncs each commit. A file that is not there is not made. */
export async function checkStore(path: string): Promise<Finding> {
  const check = 'store'
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  if (!exists)
    return {
      check,
      level: 'fail',
      text: `${path} is not there`,
      todo: 'Correct the path, or start the node once: it makes the file.',
    }
  try {
    const store = await openSqliteStore({ path })
    const { journalMode, syncsEachCommit, sqliteVersion } = store.facts()
    await store.close()
    const text = `${path}: SQLite ${sqliteVersion}, journal ${journalMode}, ${syncsEachCommit ? 'each commit synced (synchronous=FULL)' : 'commits not synced'}`
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
