import type { Signer } from '@parley/ports'
import { MeshError, refuse, type Refusal } from '@parley/protocol'
import type { Anchors } from '../credential/anchor.ts'
import type { Assurance } from '../credential/sign-in.ts'
import { type PresentedCredential, type VerifiedCredential, verifyCredential } from '../credential/verify-credential.ts'
import { isIdClaim, isObjectClaim, toClaimSeconds } from '../jwt/claim.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { maxJwtLength, verifyJwt } from '../jwt/verify-jwt.ts'
import { quote } from '../key/quote.ts'

/** What somebody with a credential declares, for instance that it approves of one action. */
export interface DeclarationDraft {
  /** Names the declaration, so that it can be used once and taken back by an order. */
  readonly id: string
  /** What it is for, for instance `approval`: what was signed for one purpose is worth nothing for another. */
  readonly purpose: string
  /** What is declared, as JSON. */
  readonly content: Readonly<Record<string, unknown>>
  readonly issuedAtMs: number
  /** It holds before this time, and no longer than the credential. */
  readonly expiresAtMs: number
}

/** Whose credential a declaration travels with. */
export interface Declarer extends PresentedCredential {
  readonly signer: Signer
}

/** A declaration that was proven to be of the holder of a credential. */
export interface VerifiedDeclaration extends DeclarationDraft {
  readonly credential: VerifiedCredential
}

/** Against what a declaration is verified. */
export interface DeclarationExpectation {
  readonly purpose: string
  readonly anchors: Anchors
  readonly nowMs: number
  /** Only a person who signed in at least so strongly (NIST SP 800-63B) is heard. Without it any agent is. */
  readonly human?: Assurance
}

/**
 * Signs a declaration with the key of an instance, a person's for instance, and puts its credential inside: whoever has an
 * anchor of the owner can check it, now or from a log. Rejects with `identity.jwt-invalid` for a malformed one, or one
 * that is too long for a token.
 */
export async function signDeclaration(declarer: Declarer, draft: DeclarationDraft): Promise<string> {
  const { id, purpose, content, issuedAtMs, expiresAtMs } = draft
  if (!isIdClaim(id) || !isIdClaim(purpose) || !(expiresAtMs > issuedAtMs))
    throw new MeshError('identity.jwt-invalid', `the declaration ${quote(id)} for ${quote(purpose)} is malformed`)
  const token = await signJwt(declarer.signer, jwtTypes.declaration, {
    iat: toClaimSeconds(issuedAtMs),
    exp: toClaimSeconds(expiresAtMs),
    jti: id,
    purpose,
    content,
    credential: declarer.credential,
    statement: declarer.statement,
  })
  if (token.length > maxJwtLength) throw new MeshError('identity.jwt-invalid', `the declaration ${id} is too long`)
  return token
}

/**
 * Verifies that the holder of a credential declared something for this purpose, and that declaration and credential hold
 * now. Whether an order stands against it is for the order book: `check` the credential. Whether it was used before is for
 * whoever acts on it. Codes: those of `verifyJwt` and `verifyCredential`, `identity.purpose-mismatch`,
 * `identity.sign-in-too-weak`.
 */
export function verifyDeclaration(
  token: string,
  expected: DeclarationExpectation,
): { readonly kind: 'allow'; readonly declaration: VerifiedDeclaration } | Refusal {
  const { anchors, nowMs, human } = expected
  const verdict = verifyJwt(token, { typ: jwtTypes.declaration, nowMs })
  if (verdict.kind === 'deny') return verdict
  const { iss, iat, exp, jti, purpose, content, credential, statement } = verdict.claims
  if (
    !isIdClaim(jti) ||
    !isIdClaim(purpose) ||
    !isObjectClaim(content) ||
    typeof credential !== 'string' ||
    typeof statement !== 'string'
  )
    return refuse('identity.jwt-invalid', 'the claims of the declaration are malformed')
  if (purpose !== expected.purpose)
    return refuse(
      'identity.purpose-mismatch',
      `the declaration is for ${quote(purpose)}, not for ${quote(expected.purpose)}`,
    )
  const verified = verifyCredential({ credential, statement }, { anchors, instance: iss, nowMs })
  if (verified.kind === 'deny') return verified
  const assurance = verified.credential.signIn?.assurance ?? 0
  if (human !== undefined && assurance < human)
    return refuse(
      'identity.sign-in-too-weak',
      `${verified.credential.name} is no person who signed in with level ${human}`,
    )
  return {
    kind: 'allow',
    declaration: {
      id: jti,
      purpose,
      content,
      issuedAtMs: iat * 1000,
      expiresAtMs: Math.min(exp * 1000, verified.credential.expiresAtMs),
      credential: verified.credential,
    },
  }
}
