import type { DatabaseSync } from 'node:sqlite'
import type { Clock, Store } from '@parley/ports'
import { isMeshError, MeshError } from '@parley/protocol'
import { createCommitGroup } from './commit-group.ts'
import { readPragma } from './schema.ts'
import { createSqliteJournal } from './sqlite-journal.ts'
import { createSqliteKeyValue } from './sqlite-key-value.ts'
import { wrapSqliteError } from './sqlite-error.ts'
import { createStreamRows } from './stream-rows.ts'
import type { WalSync } from './wal-sync.ts'

/** What is in force for an open store, read back from SQLite itself. */
export interface SqliteFacts {
  readonly path: string
  /** `wal`, or `memory` for a store without a file. */
  readonly journalMode: string
  /** Whether an acknowledged write is synced to disk: by each COMMIT (`synchronous` FULL or EXTRA), or by the store after it. */
  readonly syncsEachCommit: boolean
  readonly sqliteVersion: string
}

/** A store in one SQLite file. */
export interface SqliteStore extends Store {
  readonly kind: 'sqlite'
  /** Tells what is in force, for `doctor` and start-up. */
  facts(): SqliteFacts
}

/** Creates a store over a connection whose schema exists; `release` runs once after the connection is closed. */
export function createSqliteStore(
  db: DatabaseSync,
  clock: Clock,
  path: string,
  release: () => void,
  walSync?: WalSync,
): SqliteStore {
  const rows = createStreamRows(db)
  const group = createCommitGroup(db, clock, {
    sync: walSync?.sync,
    tidy: walSync?.checkpoint,
    onTakenBack: rows.forget,
  })
  const journal = createSqliteJournal(db, group, rows, () => new Promise((resolve) => clock.defer(resolve)))
  const keyValue = createSqliteKeyValue(db, group)
  const facts = readFacts(db, path, walSync !== undefined)
  let closing: Promise<void> | undefined

  const close = async (): Promise<void> => {
    await group.flush()
    try {
      await walSync?.close()
    } finally {
      db.close()
      release()
    }
  }
  const guard = async <Result>(operation: () => Promise<Result>): Promise<Result> => {
    if (closing) throw new MeshError('store.closed', `The store ${path} is closed; open it again.`)
    try {
      return await operation()
    } catch (error) {
      throw isMeshError(error) ? error : wrapSqliteError('store.corrupt', `The store ${path} cannot be read`, error)
    }
  }
  return {
    kind: 'sqlite',
    journal: {
      append: (stream, expectedLast, entries) => guard(() => journal.append(stream, expectedLast, entries)),
      compact: (stream, expectedLast, entries) => guard(() => journal.compact(stream, expectedLast, entries)),
      read: (stream, fromPosition, limit) => guard(() => journal.read(stream, fromPosition, limit)),
      last: (stream) => guard(() => journal.last(stream)),
      streams: (prefix) => guard(() => journal.streams(prefix)),
    },
    keyValue: {
      get: (key) => guard(() => keyValue.get(key)),
      put: (key, value, expectedRevision) => guard(() => keyValue.put(key, value, expectedRevision)),
      delete: (key) => guard(() => keyValue.delete(key)),
      list: (prefix) => guard(() => keyValue.list(prefix)),
    },
    facts: () => facts,
    close: () => (closing ??= close()),
  }
}

function readFacts(db: DatabaseSync, path: string, isSynced: boolean): SqliteFacts {
  const version = db.prepare('SELECT sqlite_version() AS version').get()?.['version']
  return {
    path,
    journalMode: String(readPragma(db, 'journal_mode')),
    syncsEachCommit: isSynced || Number(readPragma(db, 'synchronous')) >= 2,
    sqliteVersion: typeof version === 'string' ? version : 'unknown',
  }
}
