import { isObjectClaim } from './claim.ts'

/** Reads what a token claims, believing nothing of it: only for what `verifyJwt` is asked about afterwards. */
export function peekClaims(token: string): Readonly<Record<string, unknown>> {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    return isObjectClaim(payload) ? payload : {}
  } catch {
    // Not a token: it claims nothing.
    return {}
  }
}
