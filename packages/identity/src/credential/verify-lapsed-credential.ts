import { refuse, type Refusal } from '@parley/protocol'
import { isSecondsClaim } from '../jwt/claim.ts'
import { peekClaims } from '../jwt/peek-claims.ts'
import {
  type CredentialExpectation,
  type PresentedCredential,
  type VerifiedCredential,
  verifyCredential,
} from './verify-credential.ts'

/**
 * Verifies a credential that may have expired, up to `graceMs` ago, as `verifyCredential` does as of the last moment at
 * which it held. It proves who the instance was; what that is still good for is for the caller to say. Codes as there.
 */
export function verifyLapsedCredential(
  presented: PresentedCredential,
  expected: CredentialExpectation & { readonly graceMs: number },
): { readonly kind: 'allow'; readonly credential: VerifiedCredential } | Refusal {
  const { nowMs, graceMs } = expected
  const expiresAtMs = Math.min(readExpiryMs(presented.credential), readExpiryMs(presented.statement))
  if (expiresAtMs + graceMs <= nowMs) {
    return refuse('identity.credential-expired', `the credential expired more than ${String(graceMs)} ms ago`)
  }
  return verifyCredential(presented, { ...expected, nowMs: Math.min(nowMs, expiresAtMs - 1) })
}

/** A time that is none is left to `verifyCredential` to refuse. */
function readExpiryMs(token: string): number {
  const { exp } = peekClaims(token)
  return isSecondsClaim(exp) ? exp * 1000 : Infinity
}
