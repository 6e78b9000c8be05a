import { decode, type User } from '@nats-io/jwt'
import { createManualClock, createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createAnchors } from '../credential/anchor.ts'
import { verifyCredential } from '../credential/verify-credential.ts'
import { createLocalIssuer } from '../issuer/local-issuer.ts'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { createNatsAccount, mintNatsUser, signNatsAccount } from './nats-account.ts'
import { generateUserNkey } from './nkey.ts'

const random = createSeededRandom(7)
const seeds = {
  operator: generateSeed(random),
  account: generateSeed(random),
  signing: generateSeed(random),
  joining: generateSeed(random),
  system: generateSeed(random),
}

describe('an issuer with an account of a broker', () => {
  it('mints a user of the same life, and binds its key in the credential', async () => {
    const clock = createManualClock()
    const natsAccount = createNatsAccount(await signNatsAccount('main', seeds), seeds)
    const issuer = createLocalIssuer({ alias: 'acme', clock, random, natsAccount })
    const { did: instance } = createKeySigner(generateSeed(random))
    const { nkey } = generateUserNkey(random)
    const issued = await issuer.issue({ name: 'acme/desk', instance, serves: [], calls: [], nkey })
    const verdict = verifyCredential(issued, {
      anchors: createAnchors([issuer.anchor]),
      instance,
      nowMs: clock.now(),
    })
    const user = decode<User>(issued.natsUser ?? '')
    expect(verdict).toMatchObject({ kind: 'allow', credential: { nkey } })
    expect(user).toMatchObject({ sub: nkey, name: instance.slice('did:key:'.length), exp: issued.expiresAtMs / 1000 })
    expect(user.nats).not.toHaveProperty('pub')
    expect(user.nats).not.toHaveProperty('resp')
  })

  it('mints nothing for an instance that asks for no key, and refuses what is none', async () => {
    const natsAccount = createNatsAccount(await signNatsAccount('main', seeds), seeds)
    const issuer = createLocalIssuer({ alias: 'acme', clock: createManualClock(), random, natsAccount })
    const { did: instance } = createKeySigner(generateSeed(random))
    const request = { name: 'acme/desk', instance, serves: [], calls: [] }
    expect(await issuer.issue(request)).not.toHaveProperty('natsUser')
    for (const nkey of ['', 'UABC', generateUserNkey(random).seed, generateUserNkey(random).nkey.replace(/^U/, 'A')])
      await expect(issuer.issue({ ...request, nkey })).rejects.toMatchObject({ code: 'identity.issuer-refused' })
  })
})

describe('mintNatsUser', () => {
  it('refuses the key of another account', async () => {
    const facts = await signNatsAccount('main', seeds)
    const user = { nkey: generateUserNkey(random).nkey, role: 'operator' as const, expiresAtMs: 0 }
    await expect(mintNatsUser(facts, seeds.signing, user)).rejects.toMatchObject({ code: 'identity.issuer-refused' })
  })
})

describe('signNatsAccount', () => {
  it('refuses a mesh that cannot stand in a subject', async () => {
    for (const mesh of ['', '*', 'a.b', '>'])
      await expect(signNatsAccount(mesh, seeds)).rejects.toMatchObject({ code: 'transport.subject-invalid' })
  })
})
