import { createManualClock, createSeededRandom } from '@parley/ports'
import { verifyJWT } from 'did-jwt'
import type { Resolvable } from 'did-resolver'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeBase58 } from '../key/base58.ts'
import { parseDidKey } from '../key/did-key.ts'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { jwtTypes } from './jwt-type.ts'
import { signJwt } from './sign-jwt.ts'
import { verifyJwt } from './verify-jwt.ts'

const nowMs = createManualClock().now()
const now = nowMs / 1000
const signer = createKeySigner(generateSeed(createSeededRandom(1)))
const typ = jwtTypes.credential
const expected = { typ, nowMs } as const
const encode = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url')
const defaultHeader = `{"alg":"EdDSA","typ":"${typ}"}`
const claimsOf = (more: object = {}): string => JSON.stringify({ iat: now, exp: now + 60, ...more, iss: signer.did })

/** Signs any two texts, however odd: what a dishonest but real key can make. */
async function forge(header: string | Uint8Array, payload: string | Uint8Array): Promise<string> {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${encode(await signer.sign('jwt', Buffer.from(input)))}`
}

/** Asks did-jwt about a token, for the cases in which it says yes and this package no. */
async function isAcceptedByDidJwt(jwt: string, did: string, publicKeyHex: string): Promise<boolean> {
  const key = { id: `${did}#key`, type: 'Ed25519VerificationKey2020', controller: did, publicKeyHex }
  const resolver: Resolvable = {
    resolve: async () => ({
      didResolutionMetadata: {},
      didDocumentMetadata: {},
      didDocument: { id: did, verificationMethod: [key], authentication: [key.id], assertionMethod: [key.id] },
    }),
  }
  return (await verifyJWT(jwt, { resolver, policies: { now } })).verified
}

describe('verifyJwt', () => {
  const publicKeyHex = Buffer.from(parseDidKey(signer.did)).toString('hex')

  it('accepts what signJwt made and returns its claims', async () => {
    const jwt = await signJwt(signer, typ, { iat: now, exp: now + 60, name: 'acme/flights', absent: undefined })
    const verdict = verifyJwt(jwt, { ...expected, issuer: signer.did })
    expect(verdict).toEqual({
      kind: 'allow',
      claims: { iat: now, exp: now + 60, name: 'acme/flights', iss: signer.did },
    })
  })

  it('accepts any JSON claims that signJwt wrote', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (text) => {
        const claim: unknown = JSON.parse(text)
        const jwt = await signJwt(signer, typ, { iat: now, exp: now + 60, claim })
        expect(verifyJwt(jwt, expected)).toMatchObject({ kind: 'allow' })
      }),
      { numRuns: 50 },
    )
  })

  it('refuses a small-order key, which did-jwt accepts for any message', async () => {
    const identity = Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? 1 : 0))
    const did = `did:key:z${encodeBase58(Uint8Array.from([0xed, 0x01, ...identity]))}`
    const payload = JSON.stringify({ iat: now, exp: now + 60, iss: did })
    const signature = Uint8Array.from([...identity, ...new Uint8Array(32)])
    const jwt = `${encode(defaultHeader)}.${encode(payload)}.${encode(signature)}`
    expect(await isAcceptedByDidJwt(jwt, did, Buffer.from(identity).toString('hex'))).toBe(true)
    expect(verifyJwt(jwt, expected)).toMatchObject({ kind: 'deny', code: 'identity.key-unsafe' })
  })

  it('refuses a token 290 s past its expiry, which did-jwt accepts', async () => {
    const jwt = await signJwt(signer, typ, { iat: now - 900, exp: now - 290 })
    expect(await isAcceptedByDidJwt(jwt, signer.did, publicKeyHex)).toBe(true)
    expect(verifyJwt(jwt, expected)).toMatchObject({ kind: 'deny', code: 'identity.jwt-expired' })
  })

  it('refuses a token without exp, which did-jwt accepts', async () => {
    const jwt = await forge(defaultHeader, JSON.stringify({ iat: now, iss: signer.did }))
    expect(await isAcceptedByDidJwt(jwt, signer.did, publicKeyHex)).toBe(true)
    expect(verifyJwt(jwt, expected)).toMatchObject({ kind: 'deny', code: 'identity.jwt-invalid' })
  })

  it('allows 60 s of skew on both sides and no more', async () => {
    const jwt = await signJwt(signer, typ, { iat: now, nbf: now + 100, exp: now + 200 })
    const at = (seconds: number): string => verifyJwt(jwt, { typ, nowMs: (now + seconds) * 1000 }).kind
    expect([at(39), at(40), at(259), at(260)]).toEqual(['deny', 'allow', 'allow', 'deny'])
  })

  it('refuses every token while the time is not a number', async () => {
    const jwt = await signJwt(signer, typ, { iat: now, exp: now + 60 })
    expect(verifyJwt(jwt, { typ, nowMs: Number.NaN })).toMatchObject({ code: 'identity.jwt-expired' })
  })

  it('refuses a token from the future', async () => {
    const jwt = await signJwt(signer, typ, { iat: now + 61, exp: now + 200 })
    expect(verifyJwt(jwt, expected)).toMatchObject({ code: 'identity.jwt-expired' })
  })

  it.each([
    ['alg none', `{"alg":"none","typ":"${typ}"}`],
    ['a swapped alg', `{"alg":"ES256K","typ":"${typ}"}`],
    ['an HMAC alg', `{"alg":"HS256","typ":"${typ}"}`],
    ['a lower-case alg', `{"alg":"eddsa","typ":"${typ}"}`],
    ['the typ of another kind', `{"alg":"EdDSA","typ":"${jwtTypes.delegation}"}`],
    ['the general typ', '{"alg":"EdDSA","typ":"JWT"}'],
    ['a typ in upper case', `{"alg":"EdDSA","typ":"${typ.toUpperCase()}"}`],
    ['no typ', '{"alg":"EdDSA"}'],
    ['a key in the header', `{"alg":"EdDSA","typ":"${typ}","jwk":{"kty":"OKP"}}`],
    ['a crit extension', `{"alg":"EdDSA","typ":"${typ}","crit":["b64"],"b64":false}`],
    ['a duplicate alg', `{"alg":"none","alg":"EdDSA","typ":"${typ}"}`],
    ['a space in the header', `{"alg":"EdDSA", "typ":"${typ}"}`],
    ['a header that is a list', '["EdDSA"]'],
    ['a header that is null', 'null'],
  ])('refuses %s', async (_, header) => {
    const jwt = await forgeUnchecked(header, claimsOf())
    expect(verifyJwt(jwt, expected)).toMatchObject({ kind: 'deny', code: 'identity.jwt-invalid' })
  })

  it.each([
    ['a duplicate key', claimsOf().replace('{', '{"exp":1,')],
    ['a duplicate key spelled by an escape', claimsOf().replace('{', '{"\\u0065xp":1,')],
    ['white space', ` ${claimsOf()}`],
    ['a number with an exponent', claimsOf({ a: 1000 }).replace('1000', '1e3')],
    ['a number beyond 2^53', claimsOf({ a: 1 }).replace('"a":1', '"a":9007199254740993')],
    ['text after the object', `${claimsOf()} {}`],
    ['bytes that are not UTF-8', Buffer.from(claimsOf({ a: 'é' }), 'latin1')],
    ['a byte order mark', `\uFEFF${claimsOf()}`],
    ['no JSON', 'exp'],
    ['a list', '[]'],
    ['nesting that overflows the stack', `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`],
    ['an expiry in a text', claimsOf({ exp: String(now + 60) })],
    ['a fraction of a second', claimsOf({ exp: now + 60.5 })],
    ['an infinite expiry', claimsOf({ exp: 1e300 })],
    ['no iat', JSON.stringify({ exp: now + 60, iss: signer.did })],
    ['an nbf that is null', claimsOf({ nbf: null })],
    ['no issuer', JSON.stringify({ iat: now, exp: now + 60 })],
  ])('refuses a payload with %s', async (_, payload) => {
    expect(verifyJwt(await forge(defaultHeader, payload), expected)).toMatchObject({
      kind: 'deny',
      code: 'identity.jwt-invalid',
    })
  })

  it('refuses another spelling of the same token', async () => {
    const jwt = await signJwt(signer, typ, { iat: now, exp: now + 60 })
    const [header = '', payload = '', signature = ''] = jwt.split('.')
    // 64 bytes leave four unused bits in the last character: the next letter decodes to the same bytes.
    const twin = signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(signature.length - 1) + 1)
    expect(Buffer.from(twin, 'base64url')).toEqual(Buffer.from(signature, 'base64url'))
    for (const other of [
      `${header}.${payload}.${twin}`,
      `${header}=.${payload}.${signature}`,
      `${header}.${payload}.${signature}==`,
      `${header}.${payload}.${signature}AA`,
      `${header}.${payload}.${signature}.`,
      `${header}.${payload}.${signature}\n`,
      ` ${jwt}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      '',
      '..',
    ]) {
      expect(verifyJwt(other, expected)).toMatchObject({ kind: 'deny', code: 'identity.jwt-invalid' })
    }
  })

  it('refuses a token that was changed, or signed by another key', async () => {
    const other = createKeySigner(generateSeed(createSeededRandom(2)))
    const input = `${encode(defaultHeader)}.${encode(claimsOf())}`
    const jwt = `${input}.${encode(await other.sign('jwt', Buffer.from(input)))}`
    expect(verifyJwt(jwt, expected)).toMatchObject({ kind: 'deny', code: 'identity.signature-invalid' })
    const [header, , signature] = (await signJwt(signer, typ, { iat: now, exp: now + 60 })).split('.')
    const later = `${header}.${encode(claimsOf({ exp: now + 61 }))}.${signature}`
    expect(verifyJwt(later, expected)).toMatchObject({ kind: 'deny', code: 'identity.signature-invalid' })
  })

  it('refuses an issuer that is not expected or not a did:key', async () => {
    const jwt = await signJwt(signer, typ, { iat: now, exp: now + 60 })
    expect(verifyJwt(jwt, { ...expected, issuer: 'did:key:z6Mk' })).toMatchObject({ code: 'identity.jwt-invalid' })
    const web = JSON.stringify({ iat: now, exp: now + 60, iss: 'did:web:acme.example' })
    expect(verifyJwt(await forge(defaultHeader, web), expected)).toMatchObject({ code: 'identity.did-invalid' })
  })

  it('refuses a token that is longer than the limit before it reads it', async () => {
    const jwt = await signJwt(signer, typ, { iat: now, exp: now + 60, pad: 'x'.repeat(20_000) })
    expect(verifyJwt(jwt, expected)).toMatchObject({ code: 'identity.jwt-invalid' })
  })

  it('answers any text with a value', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        expect(verifyJwt(text, expected).kind).toBe('deny')
      }),
    )
  })
})

/** Signs a header of any form: not every one starts with `eyJ`, and then no signature can be made at all. */
async function forgeUnchecked(header: string, payload: string): Promise<string> {
  return encode(header).startsWith('eyJ')
    ? forge(header, payload)
    : `${encode(header)}.${encode(payload)}.${encode(new Uint8Array(64))}`
}
