import { access, constants } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Store } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { openSqliteStore } from '@parley/store-sqlite'
import { describeFileError } from './describe-file-error.ts'
import { isSqlite } from './is-sqlite.ts'

/**
 * Opens the store of a stopped node for one command, and closes it; it never makes one. Rejects with `store.locked` while
 * the node runs, and with `cli.usage` for a file that is not there, is no store, or is where this user may not lock it.
 */
export async function withStore<Result>(path: string, work: (store: Store) => Promise<Result>): Promise<Result> {
  const store = await openKeptStore(path)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** Opens the store of a stopped node, as `withStore` does; who opens it closes it. */
export async function openKeptStore(path: string): Promise<Store> {
  if (!(await isSqlite(path))) throw new MeshError('cli.usage', `${path} is not the store of a node`)
  for (const needed of [path, dirname(path)])
    await access(needed, constants.W_OK).catch((cause: unknown) => {
      const why = `${needed} cannot be written, and it has to be locked there: ${describeFileError(cause)}`
      throw new MeshError('cli.usage', `the store ${path} is not opened: ${why}; use a copy elsewhere`, { cause })
    })
  return openSqliteStore({ path })
}
