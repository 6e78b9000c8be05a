import { createManualClock, createSeededRandom, type KeyValue, type KeyValueEntry } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { createKeySigner, type KeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { type JoinGrant, signJoinGrant, verifyJoinGrant } from './join-grant.ts'
import { createJoinSeats, type JoinSeats } from './join-seats.ts'

const random = createSeededRandom(31)
const newKey = (): KeySigner => createKeySigner(generateSeed(random))
const [issuer, first, second, thief, next, other] = [newKey(), newKey(), newKey(), newKey(), newKey(), newKey()]
const clock = createManualClock()
const name = 'acme/desk'
const grant: JoinGrant = {
  id: 'g1',
  key: newKey().did,
  name,
  issuedAtMs: clock.now(),
  expiresAtMs: clock.now() + 600_000,
}

let values: Map<string, KeyValueEntry>
let failure: MeshError | undefined
let seats: JoinSeats
let evidence: string

beforeEach(async () => {
  values = new Map()
  failure = undefined
  const keyValue: KeyValue = {
    get: async (key) => values.get(key),
    async put(key, value, expected) {
      const revision = values.get(key)?.revision ?? 0
      if (failure) throw failure
      if (revision !== expected) throw new MeshError('store.revision-conflict', 'somebody else wrote')
      values.set(key, { key, value, revision: revision + 1 })
      return revision + 1
    },
    delete: async (key) => void values.delete(key),
    list: async () => [...values.values()],
  }
  seats = createJoinSeats({ issuer: issuer.did, grantJoin: (each) => signJoinGrant(issuer, each), keyValue, clock })
  evidence = await signJoinGrant(issuer, grant)
})

const sit = (by: KeySigner, token: string, voucher: string): ReturnType<JoinSeats['attestor']['attest']> =>
  seats.attestor.attest({ name, instance: by.did, voucher, evidence: token })

/** The token and the key of the grant to come back. */
async function comeBack(by: KeySigner, key: KeySigner, from = evidence): Promise<string> {
  const given = await seats.grantNext(from, by.did, key.did)
  return given.kind === 'allow' ? given.grant.token : given.code
}

describe('createJoinSeats', () => {
  it('gives the next grant to the instance that holds the seat, for a new key, and to nobody else', async () => {
    const invalid = 'identity.join-token-invalid'
    expect(await comeBack(first, next)).toBe(invalid)
    expect(await sit(first, evidence, grant.key)).toMatchObject({ kind: 'allow', id: 'g1' })
    expect(await comeBack(thief, next)).toBe(invalid)
    for (const key of [grant.key, 'did:key:zNone'])
      expect(await seats.grantNext(evidence, first.did, key)).toMatchObject({ code: invalid })
    expect(await seats.grantNext('no grant', first.did, next.did)).toMatchObject({ code: 'identity.jwt-invalid' })
    const token = await comeBack(first, next)
    expect(await comeBack(first, next)).toBe(token)
    expect(await sit(second, token, next.did)).toMatchObject({ kind: 'allow', id: 'g1' })
    expect(await comeBack(first, other)).toBe(invalid)
  })

  it('takes nobody any more on a seat of which a grant was shown twice', async () => {
    await sit(first, evidence, grant.key)
    const token = await comeBack(first, next)
    await sit(second, token, next.did)
    const after = await comeBack(second, other, token)
    expect(await sit(thief, token, next.did)).toMatchObject({ code: 'identity.rejoin-reused' })
    for (const [by, shown, key] of [
      [second, token, next],
      [first, after, other],
    ] as const)
      expect(await sit(by, shown, key.did)).toMatchObject({ code: 'identity.rejoin-reused' })
    expect(await comeBack(second, newKey(), token)).toBe('identity.join-token-invalid')
    expect(await seats.extend(after, second.did)).toMatchObject({ code: 'identity.join-token-invalid' })
    expect(await sit(first, evidence, grant.key)).toMatchObject({ code: 'identity.join-token-used' })
  })

  it('lets nobody in while it cannot be kept', async () => {
    failure = new MeshError('store.unavailable', 'away')
    await expect(sit(first, evidence, grant.key)).rejects.toBe(failure)
    failure = undefined
    expect(await sit(second, evidence, grant.key)).toMatchObject({ kind: 'allow' })
  })
})

describe('signJoinGrant', () => {
  it.each([{ name: 'acme' }, { serves: ['*'] }, { calls: ['flights'] }])('signs no grant with %j', async (more) => {
    await expect(signJoinGrant(issuer, { ...grant, ...more } as JoinGrant)).rejects.toMatchObject({
      code: 'identity.join-token-invalid',
    })
  })
})

describe('verifyJoinGrant', () => {
  const iat = Math.floor(grant.issuedAtMs / 1000)
  const claims = { iat, exp: iat + 600, jti: 'g1', key: grant.key, name }

  it.each([
    { jti: undefined },
    { seat: '' },
    { key: undefined },
    { key: 'did:web:acme.example' },
    { name: 7 },
    { name: 'acme' },
    { serves: ['*'] },
    { calls: 'all' },
  ])('refuses a grant with %j', async (more) => {
    const token = await signJwt(issuer, jwtTypes.joinGrant, { ...claims, ...more })
    expect(verifyJoinGrant(token, { issuer: issuer.did, nowMs: clock.now() })).toMatchObject({
      code: 'identity.jwt-invalid',
    })
  })
})
