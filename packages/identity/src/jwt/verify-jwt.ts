import { limits, type Refusal, refuse, signatureBytes } from '@parley/protocol'
import { isWebDid } from '../did-web/did-web-url.ts'
import { decideDidKey } from '../key/did-key.ts'
import { quote } from '../key/quote.ts'
import { verifySignature } from '../key/signature.ts'
import { isObjectClaim, isSecondsClaim, type JwtClaims } from './claim.ts'
import type { JwtType } from './jwt-type.ts'

/** The longest token that is looked at; a link with a full credential is about a quarter of it. */
export const maxJwtLength: number = 16_384

/** What the reader of a token insists on. */
export interface JwtExpectation {
  /** The exact `typ`. */
  readonly typ: JwtType
  /** Wall time in milliseconds since the Unix epoch. */
  readonly nowMs: number
  /** The only issuer that is accepted; without it any did:key, and the caller decides who that is. */
  readonly issuer?: string
  /** The keys of an owner, where one may sign: only then may `iss` be a did:web. `Anchors.keysOf`. */
  readonly ownerKeys?: OwnerKeys
}

/** Tells the keys that speak for an owner; none for one that is unknown. */
export type OwnerKeys = (owner: string) => readonly string[]

/** A token of the right form and time whose signature is not yet checked: `isJwtSigned` must hold before it is believed. */
export interface DecodedJwt {
  readonly claims: JwtClaims
  readonly signingInput: string
  /** Any of these did:keys may have signed. */
  readonly keys: readonly string[]
  readonly signature: Uint8Array
}

/**
 * Verifies a token: everything of `decodeJwt`, then the signature by the one rule of the mesh. Codes:
 * `identity.jwt-invalid`, `identity.jwt-expired`, `identity.did-invalid`, `identity.key-unsafe`,
 * `identity.signature-invalid`.
 */
export function verifyJwt(
  jwt: string,
  expected: JwtExpectation,
): { readonly kind: 'allow'; readonly claims: JwtClaims } | Refusal {
  const decoded = decodeJwt(jwt, expected)
  if (decoded.kind === 'deny') return decoded
  if (!isJwtSigned(decoded.jwt)) return refuseUnsigned(decoded.jwt)
  return { kind: 'allow', claims: decoded.jwt.claims }
}

/**
 * Reads a token and decides all that costs no signature check, so that a caller can look its issuer up before it pays
 * for one. The header holds `alg: EdDSA` and the expected `typ` and nothing else; header and payload equal their own
 * re-serialisation byte by byte (no duplicate key, odd number, second spelling in base64url or UTF-8); `iss` is a
 * did:key, or where `ownerKeys` is given a did:web that it knows; `iat` and `exp` are required and hold now, within 60 s.
 */
export function decodeJwt(
  jwt: string,
  expected: JwtExpectation,
): { readonly kind: 'allow'; readonly jwt: DecodedJwt } | Refusal {
  if (jwt.length > maxJwtLength) return invalid(`it is longer than ${maxJwtLength} characters`)
  const parts = jwt.split('.')
  const [headerPart, payloadPart, signaturePart] = parts
  if (parts.length !== 3 || headerPart === undefined || payloadPart === undefined || signaturePart === undefined) {
    return invalid('it has not three parts')
  }
  const header = readCanonicalJson(headerPart)
  if (!isObjectClaim(header)) return invalid('its header is not canonical')
  if (header['alg'] !== 'EdDSA') return invalid('its alg is not EdDSA')
  if (header['typ'] !== expected.typ) return invalid(`its typ is not ${expected.typ}`)
  if (Object.keys(header).length !== 2) return invalid('its header has more than alg and typ')
  const claims = readCanonicalJson(payloadPart)
  if (!isObjectClaim(claims)) return invalid('its payload is not canonical')
  const issuer = decideIssuer(claims['iss'], expected)
  if (issuer.kind === 'deny') return issuer
  const times = decideTimes(claims, expected.nowMs)
  if (times.kind === 'deny') return times
  const signature = Buffer.from(signaturePart, 'base64url')
  if (signature.length !== signatureBytes || signature.toString('base64url') !== signaturePart) {
    return invalid('its signature is not 64 canonical bytes')
  }
  return {
    kind: 'allow',
    jwt: { claims: claims as JwtClaims, signingInput: `${headerPart}.${payloadPart}`, keys: issuer.keys, signature },
  }
}

/** Tells whether the issuer of a decoded token signed it: for a did:web, any one of its keys. */
export function isJwtSigned(jwt: DecodedJwt): boolean {
  const input = Buffer.from(jwt.signingInput, 'latin1')
  return jwt.keys.some((key) => verifySignature(key, 'jwt', input, jwt.signature))
}

/** Refuses a decoded token whose signature does not hold. */
export function refuseUnsigned(jwt: DecodedJwt): Refusal {
  return refuse('identity.signature-invalid', `the token is not signed by ${jwt.claims.iss}`)
}

/** Parses a part; `undefined` unless writing the value again gives the same characters. */
function readCanonicalJson(part: string): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url') === part ? value : undefined
  } catch {
    // Not JSON, or nested too deeply to be written again: no honest writer made it.
    return undefined
  }
}

function decideIssuer(
  issuer: unknown,
  { issuer: expected, ownerKeys }: JwtExpectation,
): { readonly kind: 'allow'; readonly keys: readonly string[] } | Refusal {
  if (typeof issuer !== 'string') return invalid('it has no iss')
  if (expected !== undefined && issuer !== expected) {
    return invalid(`its issuer is ${quote(issuer)}, not ${quote(expected)}`)
  }
  if (ownerKeys && isWebDid(issuer)) {
    const keys = ownerKeys(issuer)
    return keys.length > 0
      ? { kind: 'allow', keys }
      : refuse('identity.owner-unknown', `no anchor accepts the owner ${issuer}; add one if it shall be`)
  }
  const verdict = decideDidKey(issuer)
  return verdict.kind === 'deny' ? verdict : { kind: 'allow', keys: [issuer] }
}

function decideTimes(claims: Readonly<Record<string, unknown>>, nowMs: number): { readonly kind: 'allow' } | Refusal {
  const { iat, nbf, exp } = claims
  if (!isSecondsClaim(exp)) return invalid('it has no exp in whole seconds')
  if (!isSecondsClaim(iat)) return invalid('it has no iat in whole seconds')
  if (nbf !== undefined && !isSecondsClaim(nbf)) return invalid('its nbf is not in whole seconds')
  // Written so that a time that is not a number refuses.
  if (!(nowMs < exp * 1000 + limits.skewMs)) return refuse('identity.jwt-expired', `the token expired at ${exp} s`)
  const notBefore = Math.max(iat, nbf ?? 0)
  if (!(nowMs >= notBefore * 1000 - limits.skewMs)) {
    return refuse('identity.jwt-expired', `the token is not valid before ${notBefore} s`)
  }
  return { kind: 'allow' }
}

function invalid(why: string): Refusal {
  return refuse('identity.jwt-invalid', `the token is refused: ${why}`)
}
