import type { SQLOutputValue } from 'node:sqlite'
import { MeshError } from '@parley/protocol'

/** One row as SQLite hands it over. */
export type SqliteRow = Readonly<Record<string, SQLOutputValue>>

/** Reads an integer column. Throws `store.corrupt` for anything else. */
export function readNumber(row: SqliteRow, column: string): number {
  const value = row[column]
  if (typeof value === 'number') return value
  throw damaged(column)
}

/** Reads a text column. Throws `store.corrupt` for anything else. */
export function readText(row: SqliteRow, column: string): string {
  const value = row[column]
  if (typeof value === 'string') return value
  throw damaged(column)
}

/** Reads a blob column. Throws `store.corrupt` for anything else. */
export function readBlob(row: SqliteRow, column: string): Uint8Array {
  const value = row[column]
  if (value instanceof Uint8Array) return value
  throw damaged(column)
}

function damaged(column: string): MeshError {
  return new MeshError('store.corrupt', `The column ${column} holds a value of another type; restore the file.`)
}
