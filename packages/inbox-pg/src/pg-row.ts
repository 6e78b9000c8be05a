import { MeshError } from '@parley/protocol'

type Row = Readonly<Record<string, unknown>>

/** What the inbox remembers of one key. */
export interface KeyState {
  readonly state: 'ok' | 'declined' | 'tombstone'
  /** The JSON text that was answered; empty for a tombstone. */
  readonly body: string
  readonly capability: string
}

/** Tells whether a text of the database is one of the states of a key. */
export function isKeyState(text: string): text is KeyState['state'] {
  return text === 'ok' || text === 'declined' || text === 'tombstone'
}

/** Reads a text. Throws `store.corrupt` for anything else. */
export function readText(row: Row, column: string): string {
  const value = row[column]
  if (typeof value === 'string') return value
  throw new MeshError('store.corrupt', `the column ${column} holds no text; restore the database`)
}

/** Reads an integer, which `pg` gives as a text where it has 64 bits. Throws `store.corrupt` for anything else. */
export function readNumber(row: Row, column: string): number {
  const value = Number(row[column] ?? Number.NaN)
  if (Number.isSafeInteger(value)) return value
  throw new MeshError('store.corrupt', `the column ${column} holds no integer; restore the database`)
}
