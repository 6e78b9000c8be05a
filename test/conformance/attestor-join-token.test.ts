import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attestorConformance } from '@parley/conformance'
import {
  createJoinSeats,
  createJoinToken,
  createKeySigner,
  createLocalIssuer,
  generateSeed,
  signJoinGrant,
  type JoinGrant,
} from '@parley/identity'
import { createManualClock, createSeededRandom, type AttestationRequest, type Attestor } from '@parley/ports'
import { openSqliteStore } from '@parley/store-sqlite'
import { describe, expect, it } from 'vitest'

attestorConformance({ describe, it, expect }, 'join tokens', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-attestor-'))
  const path = join(folder, 'issuer.sqlite')
  const clock = createManualClock()
  const random = createSeededRandom(5)
  const signer = createKeySigner(generateSeed(random))
  const { anchor } = createLocalIssuer({ alias: 'acme', clock, random })
  let store = await openSqliteStore({ path })
  const grantJoin = (grant: JoinGrant): Promise<string> => signJoinGrant(signer, grant)
  const open = (): Attestor =>
    createJoinSeats({ issuer: signer.did, grantJoin, keyValue: store.keyValue, clock }).attestor
  const makeBy = async (issuer: typeof signer, lifeMs = 60_000): Promise<AttestationRequest> => {
    const { token } = await createJoinToken(issuer, { name: 'acme/desk', anchors: [anchor], lifeMs }, { clock, random })
    const instance = createKeySigner(generateSeed(random)).did
    return { name: 'acme/desk', instance, voucher: createKeySigner(token.seed).did, evidence: token.grant }
  }
  return {
    attestor: open(),
    isSingleUse: true,
    sound: () => makeBy(signer),
    async unsound() {
      const sound = await makeBy(signer)
      return {
        'of another issuer': await makeBy(createKeySigner(generateSeed(random))),
        'expired before it began': await makeBy(signer, -120_000),
        'vouched for by the instance itself': { ...sound, voucher: sound.instance },
      }
    },
    async reopen() {
      await store.close()
      store = await openSqliteStore({ path })
      return open()
    },
    outlive: () => clock.advance(121_000),
    async dispose() {
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
})

describe('createJoinSeats', () => {
  it('gives the holder of a seat its unused grant again with a longer life, and nobody else', async () => {
    const clock = createManualClock()
    const random = createSeededRandom(6)
    const signer = createKeySigner(generateSeed(random))
    const { anchor } = createLocalIssuer({ alias: 'acme', clock, random })
    const store = await openSqliteStore({ path: ':memory:' })
    const draw = (): string => createKeySigner(generateSeed(random)).did
    const [instance, other, key] = [draw(), draw(), draw()]
    const rejoinMs = 600_000
    const grantJoin = (grant: JoinGrant): Promise<string> => signJoinGrant(signer, grant)
    const seats = createJoinSeats({ issuer: signer.did, grantJoin, keyValue: store.keyValue, clock, rejoinMs })
    const { token } = await createJoinToken(signer, { name: 'acme/desk', anchors: [anchor] }, { clock, random })
    const voucher = createKeySigner(token.seed).did
    await seats.attestor.attest({ name: 'acme/desk', instance, voucher, evidence: token.grant })
    expect(await seats.grantNext(token.grant, other, key)).toMatchObject({ code: 'identity.join-token-invalid' })
    const first = await seats.grantNext(token.grant, instance, key)
    if (first.kind === 'deny') throw new Error(first.reason)
    await clock.advance(500_000)
    expect(await seats.extend(first.grant.token, other)).toMatchObject({ code: 'identity.join-token-invalid' })
    const later = await seats.extend(first.grant.token, instance)
    expect(later).toMatchObject({ kind: 'allow', grant: { key, expiresAtMs: clock.now() + rejoinMs } })
    await clock.advance(300_000)
    expect(await seats.extend(first.grant.token, instance)).toMatchObject({ code: 'identity.jwt-expired' })
    await seats.forget()
    expect(await store.keyValue.list('issuer/seat/')).toHaveLength(1)
    await clock.advance(1_000_000)
    await seats.forget()
    expect(await store.keyValue.list('issuer/seat/')).toEqual([])
    await store.close()
  })
})
