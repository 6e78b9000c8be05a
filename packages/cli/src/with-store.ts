import type { Store } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { openSqliteStore } from '@parley/store-sqlite'
import { isSqlite } from './audit-text.ts'

/**
 * Opens the store of a stopped node for one command, and closes it; it never makes one. Rejects with `store.locked` while
 * the node runs, and with `cli.usage` for a file that is not there or is no store.
 */
export async function withStore<Result>(path: string, work: (store: Store) => Promise<Result>): Promise<Result> {
  if (!(await isSqlite(path))) throw new MeshError('cli.usage', `${path} is not the store of a node`)
  const store = await openSqliteStore({ path })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
