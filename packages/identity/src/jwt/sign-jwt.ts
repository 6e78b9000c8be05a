import type { Signer } from '@parley/ports'
import { createJWT, type JWTHeader } from 'did-jwt'
import type { JwtType } from './jwt-type.ts'

/** What a token says besides its issuer, which is the signer. Members that are `undefined` are left out. */
export interface UnsignedClaims {
  readonly iat: number
  readonly exp: number
  readonly nbf?: number
  readonly [claim: string]: unknown
}

/**
 * Makes a compact JWT (RFC 7519, EdDSA of RFC 8037) of the given kind. Header and payload are exactly what
 * `JSON.stringify` writes, as `verifyJwt` requires. Rejects with what the signer rejects with.
 */
export function signJwt(signer: Signer, typ: JwtType, claims: UnsignedClaims): Promise<string> {
  // did-jwt types `typ` as 'JWT' but writes any; RFC 8725 §3.11 wants a type of its own for each kind.
  const header = { alg: 'EdDSA', typ: typ as string } as Partial<JWTHeader>
  const sign = async (input: string | Uint8Array): Promise<string> =>
    Buffer.from(await signer.sign('jwt', Buffer.from(input))).toString('base64url')
  return createJWT({ ...claims }, { issuer: signer.did, signer: sign, alg: 'EdDSA' }, header)
}
