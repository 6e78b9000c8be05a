import type { Signer } from '@parley/ports'
import { type Did, MeshError, refuse, type Refusal } from '@parley/protocol'
import { decodeIssuerStatement } from '../credential/issuer-statement.ts'
import { isOwnerDid } from '../did-web/did-web-url.ts'
import { isIdClaim, isSecondsClaim, toClaimSeconds } from '../jwt/claim.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { type DecodedJwt, decodeJwt, isJwtSigned, type OwnerKeys, refuseUnsigned } from '../jwt/verify-jwt.ts'

/** Says which order was an owner's latest at a moment. */
export interface OrderHead {
  readonly owner: Did
  /** Sequence of the latest order; 0 if there was none. */
  readonly sequence: number
  /** Hash of that order; absent at 0. */
  readonly hash?: string
  readonly issuedAtMs: number
  /** When the next head is to be expected. */
  readonly nextUpdateMs: number
}

/** A head that was proven to be the owner's word, or that of an issuer under the owner's statement. */
export interface VerifiedOrderHead extends OrderHead {
  readonly signer: Did
}

/** A head stays proof that its order exists; how fresh it is, is another question. */
const headLifeMs = 10 * 365 * 86_400_000

/**
 * Signs a head with the owner's key, or with an issuer's and the owner's statement: the owner's key may be offline while
 * heads are signed again every few seconds. Rejects with `identity.jwt-invalid` for a malformed one.
 */
export function signOrderHead(signer: Signer, head: OrderHead, statement?: string): Promise<string> {
  const { owner, sequence, hash, issuedAtMs, nextUpdateMs } = head
  if (!isPlaced(sequence, hash))
    throw new MeshError('identity.jwt-invalid', `the head of ${String(sequence)} orders is malformed`)
  return signJwt(signer, jwtTypes.orderHead, {
    iat: toClaimSeconds(issuedAtMs),
    exp: toClaimSeconds(issuedAtMs + headLifeMs),
    owner,
    sequence,
    last: hash,
    nextUpdate: toClaimSeconds(nextUpdateMs),
    statement,
  })
}

/**
 * Verifies a head. A statement that lets an issuer sign it must have held when the head was issued. Whether the owner is
 * accepted here, and whether the issuer is revoked, is for the order book. The
 * owner may be a did:web that `ownerKeys` knows. Codes as `verifyJwt`.
 */
export function verifyOrderHead(
  token: string,
  expected: { readonly nowMs: number; readonly ownerKeys?: OwnerKeys },
): { readonly kind: 'allow'; readonly head: VerifiedOrderHead } | Refusal {
  const decoded = decodeOrderHead(token, expected)
  if (decoded.kind === 'deny') return decoded
  const forged = decoded.jwts.find((jwt) => !isJwtSigned(jwt))
  return forged ? refuseUnsigned(forged) : { kind: 'allow', head: decoded.head }
}

/** A head of the right form, and the tokens that prove it: `isJwtSigned` must hold for each before it is believed. */
export interface DecodedOrderHead {
  readonly kind: 'allow'
  readonly head: VerifiedOrderHead
  readonly jwts: readonly DecodedJwt[]
}

/** Reads a head without checking a signature, so that its owner can be looked up before. */
export function decodeOrderHead(
  token: string,
  expected: { readonly nowMs: number; readonly ownerKeys?: OwnerKeys },
): DecodedOrderHead | Refusal {
  const verdict = decodeJwt(token, { typ: jwtTypes.orderHead, ...expected })
  if (verdict.kind === 'deny') return verdict
  const { iss, iat, owner, sequence, last, nextUpdate, statement } = verdict.jwt.claims
  if (
    typeof owner !== 'string' ||
    !isOwnerDid(owner) ||
    typeof sequence !== 'number' ||
    !(last === undefined || isIdClaim(last)) ||
    !isPlaced(sequence, last) ||
    !isSecondsClaim(nextUpdate)
  )
    return refuse('identity.jwt-invalid', 'the claims of the order head are malformed')
  const spoken = decideSpeaker(iss, owner, statement, iat * 1000, expected.ownerKeys)
  if (spoken.kind === 'deny') return spoken
  return {
    kind: 'allow',
    head: {
      owner,
      sequence,
      ...(last === undefined ? {} : { hash: last }),
      issuedAtMs: iat * 1000,
      nextUpdateMs: nextUpdate * 1000,
      signer: iss,
    },
    jwts: [...spoken.jwts, verdict.jwt],
  }
}

function decideSpeaker(
  signer: Did,
  owner: Did,
  statement: unknown,
  issuedAtMs: number,
  ownerKeys: OwnerKeys | undefined,
): { readonly kind: 'allow'; readonly jwts: readonly DecodedJwt[] } | Refusal {
  if (statement === undefined)
    return signer === owner
      ? { kind: 'allow', jwts: [] }
      : refuse('identity.signature-invalid', `the head is signed by ${signer}, which is not the owner`)
  if (typeof statement !== 'string') return refuse('identity.jwt-invalid', 'the statement of the head is malformed')
  const decoded = decodeIssuerStatement(statement, issuedAtMs, ownerKeys)
  if (decoded.kind === 'deny') return decoded
  if (decoded.decoded.owner !== owner || decoded.decoded.statement.issuer !== signer)
    return refuse('identity.signature-invalid', `the owner did not let ${signer} speak for it`)
  return { kind: 'allow', jwts: [decoded.decoded.jwt] }
}

function isPlaced(sequence: number, hash: string | undefined): boolean {
  return Number.isSafeInteger(sequence) && sequence >= 0 && (sequence === 0) === (hash === undefined)
}
