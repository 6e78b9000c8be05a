import { MeshError, type ErrorCode } from '@parley/protocol'

/** Primary result codes (https://sqlite.org/rescode.html) that mean damaged content. */
const corruptCodes: readonly number[] = [11, 26]

/** The primary result code for a lock that somebody else holds. */
const busyCodes: readonly number[] = [5, 6]

/** Tells whether SQLite refused because another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return busyCodes.includes(readPrimaryCode(error))
}

/** Wraps what SQLite threw; damaged content is `store.corrupt` whatever was tried, anything else is `code`. */
export function wrapSqliteError(code: ErrorCode, doing: string, error: unknown): MeshError {
  const primaryCode = readPrimaryCode(error)
  const said = error instanceof Error ? error.message : String(error)
  return new MeshError(corruptCodes.includes(primaryCode) ? 'store.corrupt' : code, `${doing}: ${said}`, {
    cause: error,
    details: { sqliteCode: primaryCode },
  })
}

/** Extended codes carry the primary one in their low byte; -1 stands for an error that is not SQLite's. */
function readPrimaryCode(error: unknown): number {
  const code = typeof error === 'object' && error !== null && 'errcode' in error ? error.errcode : undefined
  return typeof code === 'number' ? code & 0xff : -1
}
