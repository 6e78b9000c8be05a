import { mkdirSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createSystemClock, type Clock } from '@parley/ports'
import { isMeshError, MeshError } from '@parley/protocol'
import { durablePragmas, storePragmas } from './durable-pragmas.ts'
import { takeProcessLock } from './process-lock.ts'
import { createSchema } from './schema.ts'
import { wrapSqliteError } from './sqlite-error.ts'
import { createSqliteStore, type SqliteStore } from './sqlite-store.ts'
import { createWalSync } from './wal-sync.ts'

/** How a store is opened. */
export interface SqliteStoreOptions {
  /** The file, made if it does not exist, with its folder; `:memory:` for a store that ends with the process. */
  readonly path: string
  /** Says when a turn ends; the system clock by default. */
  readonly clock?: Clock
}

const memoryPath = ':memory:'

/**
 * Opens the store in a file for this process alone. Every promise of a write resolves after its COMMIT was synced.
 * Rejects with `store.locked` if the file is open already, here or elsewhere, with `store.open-failed` if it cannot be
 * opened as asked, and with `store.corrupt` if it is not a sound database.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { clock = createSystemClock() } = options
  let release = (): void => {}
  let db: DatabaseSync | undefined
  try {
    const path = resolvePath(options.path)
    if (path !== memoryPath) release = takeProcessLock(path)
    db = new DatabaseSync(path)
    db.exec(durablePragmas)
    createSchema(db)
    // What the opening wrote is synced by SQLite; from here on the store syncs off the main thread.
    if (path !== memoryPath) db.exec(storePragmas)
    const store = createSqliteStore(db, clock, path, release, path === memoryPath ? undefined : createWalSync(path))
    assertDurable(store)
    return store
  } catch (error) {
    db?.close()
    release()
    if (isMeshError(error)) throw error
    throw wrapSqliteError('store.open-failed', `The store ${options.path} cannot be opened`, error)
  }
}

/** Two ways to write one file's path must meet the same lock. */
function resolvePath(path: string): string {
  if (path === memoryPath) return path
  const folder = dirname(resolve(path))
  mkdirSync(folder, { recursive: true })
  return join(realpathSync(folder), basename(path))
}

function assertDurable(store: SqliteStore): void {
  const { path, journalMode, syncsEachCommit } = store.facts()
  if (syncsEachCommit && (journalMode === 'wal' || path === memoryPath)) return
  throw new MeshError(
    'store.open-failed',
    `The store ${path} came up with journal mode ${journalMode}, synced commits: ${String(syncsEachCommit)}; use a local disk.`,
  )
}
