import type { DatabaseSync } from 'node:sqlite'
import { readNumber } from './sqlite-row.ts'

/** What is kept of a stream besides its entries. */
export interface StreamRow {
  readonly id: number
  /** The first position that was not compacted away. */
  readonly first: number
  readonly last: number
}

/** The rows of the streams. A file is one process's, so that what was read or written last still stands. */
export interface StreamRows {
  find(name: string): StreamRow | undefined
  /** Makes the row of a new stream, or changes that of a known one; only in a transaction. */
  put(name: string, row: Omit<StreamRow, 'id'>): StreamRow
  /** A transaction was taken back, and with it what rows were changed to. */
  forget(): void
}

/** Rows that are remembered: those of the streams that are written to now. */
const maxRemembered = 4_096

/** Creates the rows of a store whose schema exists. */
export function createStreamRows(db: DatabaseSync): StreamRows {
  const select = db.prepare('SELECT id, last, first FROM stream WHERE name = ?')
  const insert = db.prepare('INSERT INTO stream (name, first, last) VALUES (?, ?, ?)')
  const updateLast = db.prepare('UPDATE stream SET last = ? WHERE id = ?')
  const update = db.prepare('UPDATE stream SET first = ?, last = ? WHERE id = ?')
  const remembered = new Map<string, StreamRow>()

  const remember = (name: string, row: StreamRow): StreamRow => {
    if (remembered.size >= maxRemembered && !remembered.has(name)) {
      const [oldest] = remembered.keys()
      if (oldest !== undefined) remembered.delete(oldest)
    }
    remembered.set(name, row)
    return row
  }
  const find = (name: string): StreamRow | undefined => {
    const known = remembered.get(name)
    if (known) return known
    const row = select.get(name)
    if (!row) return undefined
    return remember(name, { id: readNumber(row, 'id'), first: readNumber(row, 'first'), last: readNumber(row, 'last') })
  }
  return {
    find,
    put(name, { first, last }) {
      const known = find(name)
      if (!known) return remember(name, { id: Number(insert.run(name, first, last).lastInsertRowid), first, last })
      if (known.first === first) updateLast.run(last, known.id)
      else update.run(first, last, known.id)
      return remember(name, { id: known.id, first, last })
    },
    forget() {
      remembered.clear()
    },
  }
}
