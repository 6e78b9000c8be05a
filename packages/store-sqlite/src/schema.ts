import type { DatabaseSync } from 'node:sqlite'
import { MeshError } from '@parley/protocol'

/** Marks the file as Parley's (`PRLY`), so that another program's database is never written to. */
const applicationId = 0x50524c59

/** The layout of the tables; a newer one is refused. */
const schemaVersion = 4

// Entries stand in the order in which they came, whichever stream they are of: a commit over many streams writes the end of one
// table and of its index, and not a page of each stream again. That is half the time and half the file.
const entryTable = `
  CREATE TABLE entry (
    id INTEGER PRIMARY KEY, stream INTEGER NOT NULL REFERENCES stream (id), position INTEGER NOT NULL,
    size INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (stream, position)
  ) STRICT;
`
// Streams get small growing numbers, so that the keys of new ones land at the end.
const tables = `
  CREATE TABLE stream (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, last INTEGER NOT NULL, first INTEGER NOT NULL DEFAULT 1
  ) STRICT;
  ${entryTable}
  CREATE TABLE key_value (key TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

/** What makes the layout of a version from the one before. */
const migrations: Readonly<Record<number, string>> = {
  3: 'ALTER TABLE stream ADD COLUMN first INTEGER NOT NULL DEFAULT 1',
  4: `
    ALTER TABLE entry RENAME TO clustered_entry;
    ${entryTable}
    INSERT INTO entry (stream, position, size, data)
      SELECT stream, position, size, data FROM clustered_entry ORDER BY stream, position;
    DROP TABLE clustered_entry
  `,
}

/** Creates the tables in an empty file, or brings an older layout up to this one, all or nothing. Throws `store.open-failed` for another program's file or a newer layout. */
export function createSchema(db: DatabaseSync): void {
  const id = readPragma(db, 'application_id')
  const version = readPragma(db, 'user_version')
  const isEmpty = db.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count'] === 0
  if (isEmpty && id === 0) {
    db.exec(
      `BEGIN IMMEDIATE; ${tables} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}; COMMIT`,
    )
    return
  }
  if (id !== applicationId)
    throw new MeshError('store.open-failed', 'The file is the database of another program; name another file.')
  const steps = listMigrations(Number(version))
  if (steps.length > 0) db.exec(`BEGIN IMMEDIATE; ${steps.join(';')}; PRAGMA user_version = ${schemaVersion}; COMMIT`)
  else if (version !== schemaVersion)
    throw new MeshError(
      'store.open-failed',
      `The file has layout ${String(version)}, this release reads layout ${schemaVersion}; use the release that wrote it.`,
    )
}

/** Lists what leads from a version to this one; nothing where one of the steps is not known. */
function listMigrations(version: number): readonly string[] {
  const missing = Array.from({ length: Math.max(0, schemaVersion - version) }, (_, at) => migrations[version + at + 1])
  return missing.includes(undefined) ? [] : missing.flatMap((step) => step ?? [])
}

/** Reads one setting of a connection. */
export function readPragma(db: DatabaseSync, name: string): string | number | undefined {
  const value = Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  return typeof value === 'string' || typeof value === 'number' ? value : undefined
}
