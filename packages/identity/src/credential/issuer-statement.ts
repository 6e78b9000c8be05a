import type { Signer } from '@parley/ports'
import { type Did, type InstanceDid, refuse, type Refusal } from '@parley/protocol'
import {
  isCeilingClaim,
  isListClaim,
  isOptionalClaim,
  isRingClaim,
  isSecondsClaim,
  toClaimSeconds,
} from '../jwt/claim.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { type DecodedJwt, decodeJwt, type OwnerKeys } from '../jwt/verify-jwt.ts'
import { isInstanceDid } from '../key/did-key.ts'
import { type CapabilityScope, isCapabilityScope } from './capability-scope.ts'
import { isNamePattern } from './name-pattern.ts'

/** What an owner lets an issuer do in its name. */
export interface IssuerStatement {
  /** The did:key that signs the credentials. */
  readonly issuer: InstanceDid
  /** Patterns of the names that it may give. */
  readonly names: readonly string[]
  /** Capabilities that its credentials may let an instance serve and call. */
  readonly serves: CapabilityScope
  readonly calls: CapabilityScope
  /** The highest trust ceiling that it may give. */
  readonly ceiling: number
  /** The most privileged ring that it may give; without it a credential has no ring. */
  readonly ring?: number
  /** The longest life of a credential; a whole number of seconds. */
  readonly maxCredentialMs: number
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

/** Signs an issuer statement with the owner's key. Times are cut to whole seconds. */
export function signIssuerStatement(owner: Signer, statement: IssuerStatement): Promise<string> {
  const { issuer, names, serves, calls, ceiling, ring, maxCredentialMs, issuedAtMs, expiresAtMs } = statement
  return signJwt(owner, jwtTypes.statement, {
    iat: toClaimSeconds(issuedAtMs),
    exp: toClaimSeconds(expiresAtMs),
    issuer,
    names,
    serves,
    calls,
    ceiling,
    ring,
    maxCredentialSeconds: toClaimSeconds(maxCredentialMs),
  })
}

/** A statement of the right form whose signature is not yet checked. */
export interface DecodedStatement {
  readonly jwt: DecodedJwt
  readonly owner: Did
  readonly statement: IssuerStatement
}

/** Reads an issuer statement without checking its signature: `isJwtSigned(decoded.jwt)` must hold before it is believed. The owner may be a did:web that `ownerKeys` knows. */
export function decodeIssuerStatement(
  token: string,
  nowMs: number,
  ownerKeys?: OwnerKeys,
): { readonly kind: 'allow'; readonly decoded: DecodedStatement } | Refusal {
  const verdict = decodeJwt(token, { typ: jwtTypes.statement, nowMs, ...(ownerKeys ? { ownerKeys } : {}) })
  if (verdict.kind === 'deny') return verdict
  const { issuer, names, serves, calls, ceiling, ring, maxCredentialSeconds, iat, exp, iss } = verdict.jwt.claims
  if (
    typeof issuer !== 'string' ||
    !isInstanceDid(issuer) ||
    !isListClaim(names, isNamePattern) ||
    !isCapabilityScope(serves) ||
    !isCapabilityScope(calls) ||
    !isCeilingClaim(ceiling) ||
    !isOptionalClaim(ring, isRingClaim) ||
    !isSecondsClaim(maxCredentialSeconds)
  ) {
    return refuse('identity.jwt-invalid', 'the claims of the issuer statement are malformed')
  }
  const statement: IssuerStatement = {
    issuer,
    names,
    serves,
    calls,
    ceiling,
    ...(ring === undefined ? {} : { ring }),
    maxCredentialMs: maxCredentialSeconds * 1000,
    issuedAtMs: iat * 1000,
    expiresAtMs: exp * 1000,
  }
  return { kind: 'allow', decoded: { jwt: verdict.jwt, owner: iss, statement } }
}
