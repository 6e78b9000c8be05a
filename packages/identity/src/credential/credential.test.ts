import { createManualClock, createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createLocalIssuer } from '../issuer/local-issuer.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { createKeySigner } from '../key/key-signer.ts'
import { generateUserNkey } from '../nats/nkey.ts'
import { generateSeed } from '../key/seed.ts'
import { createAnchors } from './anchor.ts'
import { decodeCredential } from './credential.ts'
import { verifyCredential } from './verify-credential.ts'

const clock = createManualClock()
const random = createSeededRandom(6)
const { did: instance } = createKeySigner(generateSeed(random))
const nkey = generateUserNkey(random).nkey

/** Signs claims as they are, sound but for what a test changes. */
async function decodeClaims(changes: Readonly<Record<string, unknown>>): Promise<string> {
  const seconds = clock.now() / 1000
  const sound = { nbf: seconds, jti: 'x', instance, name: 'acme/ann', serves: [], calls: [], kind: 'agent' }
  const claims = { iat: seconds, exp: seconds + 60, ...sound, ...changes }
  const token = await signJwt(createKeySigner(generateSeed(random)), jwtTypes.credential, claims)
  const verdict = decodeCredential(token, clock.now())
  return verdict.kind === 'deny' ? verdict.code : 'sound'
}

describe('a credential', () => {
  it('of a person says how strongly they signed in and when, of a program neither', async () => {
    const human = { kind: 'human', assurance: 2, authTime: 1_700_000_000 }
    expect(await decodeClaims({})).toBe('sound')
    expect(await decodeClaims(human)).toBe('sound')
    for (const wrong of [
      { ...human, assurance: undefined },
      { ...human, authTime: undefined },
      { ...human, assurance: 0 },
      { ...human, assurance: 4 },
      { ...human, assurance: '2' },
      { ...human, authTime: 1.5 },
      { ...human, kind: 'agent' },
      { assurance: 1 },
      { authTime: 1_700_000_000 },
    ])
      expect(await decodeClaims(wrong)).toBe('identity.jwt-invalid')
  })

  it('binds a NATS user key in its one spelling', async () => {
    expect(await decodeClaims({ nkey })).toBe('sound')
    for (const wrong of [nkey.toLowerCase(), `A${nkey.slice(1)}`, nkey.slice(0, -1), '', 7])
      expect(await decodeClaims({ nkey: wrong })).toBe('identity.jwt-invalid')
  })

  it('is given to a person by an issuer that knows them as one, never for the asking', async () => {
    const allow = { 'acme/ann': { serves: [], calls: ['flights:*'], human: 3 } } as const
    const acme = createLocalIssuer({ alias: 'acme', clock, random, allow })
    const request = { name: 'acme/ann', instance, serves: [], calls: ['flights:*'], nkey }
    const expected = { anchors: createAnchors([acme.anchor]), instance, nowMs: clock.now() }
    expect(verifyCredential(await acme.issue(request), expected)).toMatchObject({
      kind: 'allow',
      credential: { agentKind: 'human', signIn: { assurance: 3, atMs: clock.now() }, nkey },
    })
    const open = createLocalIssuer({ alias: 'acme', clock, random })
    const asked = { ...request, kind: 'human', assurance: 3, human: 3 }
    expect(
      verifyCredential(await open.issue(asked), { ...expected, anchors: createAnchors([open.anchor]) }),
    ).toMatchObject({ credential: { agentKind: 'agent' } })
    await expect(open.issue({ ...request, nkey: 'UX' })).rejects.toMatchObject({ code: 'identity.issuer-refused' })
  })
})
