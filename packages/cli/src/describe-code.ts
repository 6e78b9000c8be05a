import { errorCodes, type ErrorCode } from '@parley/protocol'

/** Finds what an error code means and what to do about it; undefined for an error that only a contract declares. */
export function describeCode(code: string): { readonly meaning: string; readonly todo: string } | undefined {
  return Object.hasOwn(errorCodes, code) ? errorCodes[code as ErrorCode] : undefined
}
