import { access } from 'node:fs/promises'
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
    return failed(check, error)
  }
}
