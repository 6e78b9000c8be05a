import type { Signer } from '@parley/ports'
import { type AgentName, type InstanceDid, isAgentName, refuse, type Refusal } from '@parley/protocol'
import { isIdClaim, toClaimSeconds } from '../jwt/claim.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { verifyJwt } from '../jwt/verify-jwt.ts'
import { isInstanceDid } from '../key/did-key.ts'
import { quote } from '../key/quote.ts'

/** How long an admission holds, in milliseconds: a few tries to ask an issuer. */
export const admissionMs: number = 5 * 60_000

/** What an instance without a credential says of itself. */
export interface Admission {
  /** The did:key that signed: the instance itself, or one that the evidence names. */
  readonly voucher: InstanceDid
  readonly instance: InstanceDid
  readonly name: AgentName
  /** The attestor that the evidence is for. */
  readonly method: string
  readonly expiresAtMs: number
}

/** Signs that an instance asks to be admitted as a name. Worthless to anybody but the holder of the instance's key. */
export function signAdmission(
  voucher: Signer,
  admission: { readonly instance: string; readonly name: string; readonly method: string; readonly nowMs: number },
): Promise<string> {
  const { instance, name, method, nowMs } = admission
  return signJwt(voucher, jwtTypes.admission, {
    iat: toClaimSeconds(nowMs),
    exp: toClaimSeconds(nowMs + admissionMs),
    instance,
    name,
    method,
  })
}

/**
 * Verifies that an admission is of the sender that presents it: the instance itself, or its voucher, which may ask in its
 * stead. Whether the voucher may vouch is for the attestor of its method to say. Codes: those of `verifyJwt`,
 * `identity.credential-mismatch` for another sender.
 */
export function verifyAdmission(
  token: string,
  expected: { readonly sender: string; readonly nowMs: number },
): { readonly kind: 'allow'; readonly admission: Admission } | Refusal {
  const verdict = verifyJwt(token, { typ: jwtTypes.admission, nowMs: expected.nowMs })
  if (verdict.kind === 'deny') return verdict
  const { iss, iat, exp, instance, name, method } = verdict.claims
  if (
    typeof name !== 'string' ||
    !isAgentName(name) ||
    !isIdClaim(method) ||
    typeof instance !== 'string' ||
    !isInstanceDid(instance)
  ) {
    return refuse('identity.jwt-invalid', 'the claims of the admission are malformed')
  }
  if (exp - iat > admissionMs / 1000) return refuse('identity.jwt-invalid', 'the admission lives longer than 5 minutes')
  if (instance !== expected.sender && iss !== expected.sender) {
    return refuse('identity.credential-mismatch', `the admission is of ${quote(instance)}, not of ${expected.sender}`)
  }
  return {
    kind: 'allow',
    admission: {
      voucher: iss as InstanceDid,
      instance,
      name,
      method,
      expiresAtMs: exp * 1000,
    },
  }
}

/** Tells whether a token claims to be an admission, without verifying anything. */
export function isAdmission(token: string): boolean {
  const [header = ''] = token.slice(0, 256).split('.')
  return Buffer.from(header, 'base64url').toString('latin1').includes(`"${jwtTypes.admission}"`)
}
