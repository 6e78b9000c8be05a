import { jwtTypes, signJwt, type Anchor, type JwtType, type KeySigner } from '@parley/identity'
import { base64url, drawBytes, nowMs, signerOf } from './vector-kit.ts'

/** The moment of every vector in whole seconds, as claims have it. */
export const nowSeconds: number = nowMs / 1_000

/** Two owners that the verifier accepts, and one that it does not. */
export const acme: KeySigner = signerOf('acme owner')
export const globex: KeySigner = signerOf('globex owner')
export const evil: KeySigner = signerOf('evil owner')
export const acmeIssuer: KeySigner = signerOf('acme issuer')
export const desk: KeySigner = signerOf('acme/desk')
export const planes: KeySigner = signerOf('acme/planes')

/** What the verifier accepts. */
export const anchorList: readonly Anchor[] = [
  { owner: acme.did, alias: 'acme', issues: ['acme/*'], roots: 'all' },
  { owner: globex.did, alias: 'globex', issues: ['globex/*'], roots: ['pay:*'], ceiling: 700 },
]

/** Claims of a token; `undefined` leaves one out. */
export type Claims = Readonly<Record<string, unknown>>

/** Signs claims, which may be anything, as a token that is valid for ten minutes. */
export function signClaims(signer: KeySigner, typ: JwtType, claims: Claims): Promise<string> {
  return signJwt(signer, typ, { iat: nowSeconds, exp: nowSeconds + 600, ...claims })
}

/** Signs header and payload given as texts. */
export async function signTexts(signer: KeySigner, header: string, payload: string): Promise<string> {
  const input = [header, payload].map((text) => Buffer.from(text).toString('base64url')).join('.')
  return `${input}.${base64url(await signer.sign('jwt', Buffer.from(input)))}`
}

/** Signs acme's statement about its issuer. */
export function signStatement(more: Claims = {}, owner: KeySigner = acme): Promise<string> {
  return signClaims(owner, jwtTypes.statement, {
    exp: nowSeconds + 86_400,
    issuer: acmeIssuer.did,
    names: ['acme/*'],
    serves: 'all',
    calls: ['flights:*', 'hotels:reserve'],
    ceiling: 900,
    ring: 2,
    maxCredentialSeconds: 900,
    ...more,
  })
}

/** The claims of a credential of acme/desk. */
export const deskClaims: Claims = {
  nbf: nowSeconds,
  jti: base64url(drawBytes('credential desk', 16)),
  instance: desk.did,
  name: 'acme/desk',
  serves: [],
  calls: ['flights:reserve'],
  kind: 'agent',
}

/** Signs a credential with the issuer's key. */
export function signDeskCredential(more: Claims = {}, issuer: KeySigner = acmeIssuer): Promise<string> {
  return signClaims(issuer, jwtTypes.credential, { ...deskClaims, ...more })
}
