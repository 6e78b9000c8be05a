/** Tells the SQLSTATE (PostgreSQL manual, appendix A) of what the server refused; undefined for anything else. */
export function readSqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const { code } = error
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/** Tells whether the server rolled a transaction back for the sake of others, so that the same may work when it is run again. */
export function isWorthRepeating(error: unknown): boolean {
  const state = readSqlState(error)
  // serialization_failure, deadlock_detected
  return state === '40001' || state === '40P01'
}

/** Tells whether the server itself said no to a COMMIT, and did not end before it could say. */
export function isServersNo(error: unknown): boolean {
  const state = readSqlState(error)
  // Class 08 is the connection; 57P01 to 57P05 are the ends of a session or of the server.
  return state !== undefined && !state.startsWith('08') && !state.startsWith('57P')
}
