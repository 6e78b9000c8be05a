import { createManualClock, createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createAnchors } from '../credential/anchor.ts'
import { createLocalIssuer } from '../issuer/local-issuer.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { signPolicyRelease, verifyPolicyRelease } from './policy-release.ts'

const random = createSeededRandom(71)
const clock = createManualClock()
const acme = createLocalIssuer({ alias: 'acme', clock, random })
const rival = createLocalIssuer({ alias: 'rival', clock, random })
const expected = {
  owner: acme.owner,
  agent: 'acme/desk',
  anchors: createAnchors([acme.anchor, rival.anchor]),
  nowMs: clock.now(),
}
const policy = 'p'.repeat(43)

describe('verifyPolicyRelease', () => {
  it('tells what the owner released, for years', async () => {
    const token = await acme.release({ policy, number: 7 })
    const release = { owner: acme.owner, policy, number: 7, agents: ['acme/*'], issuedAtMs: clock.now() }
    expect(verifyPolicyRelease(token, expected)).toEqual({ kind: 'allow', release })
    const later = { ...expected, nowMs: expected.nowMs + 5 * 365 * 86_400_000 }
    expect(verifyPolicyRelease(token, later)).toMatchObject({ kind: 'allow' })
  })

  it('refuses another owner, another agent and another kind of token', async () => {
    const foreign = await rival.release({ policy, number: 7, agents: ['acme/*'] })
    expect(verifyPolicyRelease(foreign, expected).kind).toBe('deny')
    const elsewhere = await acme.release({ policy, number: 7, agents: ['acme/till', 'acme/store'] })
    expect(verifyPolicyRelease(elsewhere, expected)).toMatchObject({ code: 'policy.not-signed' })
    const order = await acme.order('revoke', 'acme/desk')
    expect(verifyPolicyRelease(order, expected)).toMatchObject({ code: 'identity.jwt-invalid' })
  })

  it.each([
    ['no number', { number: undefined }],
    ['a number below 1', { number: 0 }],
    ['a number that is none', { number: '7' }],
    ['a hash of another length', { policy: 'p' }],
    ['nobody', { agents: [] }],
    ['a pattern that is none', { agents: ['*'] }],
  ])('refuses %s', async (_what, claims) => {
    const owner = createKeySigner(generateSeed(random))
    const anchors = createAnchors([{ owner: owner.did, alias: 'acme', issues: ['acme/*'], roots: 'all' }])
    const iat = clock.now() / 1_000
    const sound = { iat, exp: iat + 60, policy, number: 7, agents: ['acme/*'] }
    const sign = (more: object) => signJwt(owner, jwtTypes.policyRelease, { ...sound, ...more })
    const here = { ...expected, owner: owner.did, anchors }
    expect(verifyPolicyRelease(await sign({}), here).kind).toBe('allow')
    expect(verifyPolicyRelease(await sign(claims), here)).toMatchObject({ code: 'identity.jwt-invalid' })
    await expect(
      signPolicyRelease(owner, { ...sound, issuedAtMs: clock.now(), ...claims } as never),
    ).rejects.toMatchObject({ code: 'identity.jwt-invalid' })
  })
})
