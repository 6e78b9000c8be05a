import type { DatabaseSync } from 'node:sqlite'
import type { KeyValue, KeyValueEntry } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { CommitGroup } from './commit-group.ts'
import { readBlob, readNumber, readText, type SqliteRow } from './sqlite-row.ts'
import { assertStoreName } from './store-name.ts'

/** Creates the key/value part of a store whose schema exists. */
export function createSqliteKeyValue(db: DatabaseSync, group: CommitGroup): KeyValue {
  const select = db.prepare('SELECT key, value, revision FROM key_value WHERE key = ?')
  const selectRange = db.prepare(
    "SELECT key, value, revision FROM key_value WHERE key >= ?1 AND key < CAST(?1 || x'ff' AS TEXT)",
  )
  const upsert = db.prepare(
    'INSERT INTO key_value (key, value, revision) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE SET value = ?2, revision = ?3',
  )
  const remove = db.prepare('DELETE FROM key_value WHERE key = ?')

  const readEntry = (row: SqliteRow): KeyValueEntry => ({
    key: readText(row, 'key'),
    value: readBlob(row, 'value'),
    revision: readNumber(row, 'revision'),
  })
  return {
    async get(key) {
      const row = select.get(key)
      return row && readEntry(row)
    },
    async put(key, value, expectedRevision) {
      assertStoreName(key)
      const copy = new Uint8Array(value)
      return group.run(() => {
        const row = select.get(key)
        const revision = row ? readNumber(row, 'revision') : 0
        if (expectedRevision !== undefined && expectedRevision !== revision)
          throw new MeshError(
            'store.revision-conflict',
            `Key ${key} has revision ${revision}, the writer expected ${expectedRevision}; read again before writing.`,
            { details: { key, revision, expectedRevision } },
          )
        upsert.run(key, copy, revision + 1)
        return revision + 1
      })
    },
    async delete(key) {
      await group.run(() => {
        remove.run(key)
      })
    },
    async list(prefix) {
      return selectRange
        .all(prefix)
        .map(readEntry)
        .sort((left, right) => (left.key < right.key ? -1 : 1))
    },
  }
}
