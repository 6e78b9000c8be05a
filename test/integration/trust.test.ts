import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  createAnchors,
  createKeySigner,
  createLocalIssuer,
  generateSeed,
  initFileIssuer,
  signAttestation,
  verifyAttestation,
} from '@parley/identity'
import { createManualClock, createSeededRandom, createSystemClock, createSystemRandom } from '@parley/ports'
import { runCaptured } from './captured-cli.ts'
import { createRogue } from './rogue.ts'
import { openShop, shop } from './shop.ts'

const folder = await mkdtemp(join(tmpdir(), 'parley-trust-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('parley trust', () => {
  it('shows, explains, pins and attests what the evidence of a stopped node says', async () => {
    const data = join(folder, 'desk.db')
    const open = await openShop({}, { desk: { data } })
    for (let call = 0; call < 3; call++) await open.buy()
    await open[Symbol.asyncDispose]()
    const shown = JSON.parse((await runCaptured(['trust', 'show', '--data', data, '--json'])).out) as {
      readonly peers: readonly { readonly peer: string; readonly score: number }[]
    }
    const [shop] = shown.peers
    expect(shop?.peer).toMatch(/ acme\/shop$/)
    const explained = await runCaptured(['trust', 'explain', 'acme/shop', '--data', data])
    expect(explained.out).toContain('ok as callee of shop:buy')
    expect(explained.out).toContain('what would raise it')
    const pin = ['trust', 'pin', 'acme/shop', '650', '--reason', 'audited', '--for', '8h', '--data', data]
    expect(await runCaptured(pin)).toMatchObject({ code: 0 })
    expect((await runCaptured(['trust', 'explain', 'acme/shop', '--data', data])).out).toContain('pinned it at 650')
    const dir = join(folder, 'issuer')
    await initFileIssuer({ dir, alias: 'zeta', clock: createSystemClock(), random: createSystemRandom() })
    const attest = [
      'trust',
      'attest',
      'acme/shop',
      '--issuer',
      dir,
      '--as',
      'zeta/desk',
      '--for',
      '30d',
      '--data',
      data,
    ]
    const told = JSON.parse((await runCaptured([...attest, '--json'])).out) as { readonly token: string }
    expect(told).toMatchObject({ rater: 'zeta/desk', score: 650 })
    expect(told.token.split('.')).toHaveLength(3)
    expect((await runCaptured(['trust', 'explain', 'acme/nobody', '--data', data])).err).toContain('no evidence')
  })
})

describe('node.trust.take', () => {
  it("takes an agent's signed word, and nobody's who cannot prove a name", async () => {
    await using open = await openShop()
    const clock = createManualClock(open.mesh.clock.now())
    const random = createSeededRandom(5)
    const issuer = createLocalIssuer({ alias: 'zeta', clock, random })
    const signer = createKeySigner(generateSeed(random))
    const issued = await issuer.issue({ name: 'zeta/desk', instance: signer.did, serves: [], calls: [] })
    const nowMs = clock.now()
    const draft = {
      about: { owner: open.counter.owner, name: open.counter.name },
      score: 900,
      issuedAtMs: nowMs,
      expiresAtMs: nowMs + 60_000,
    }
    const token = await signAttestation({ signer, ...issued }, draft)
    const anchors = createAnchors([issuer.anchor])
    expect(verifyAttestation(token, { anchors, nowMs })).toMatchObject({
      kind: 'allow',
      attestation: { rater: { name: 'zeta/desk' }, score: 900 },
    })
    const [head = '', body = '', signature = ''] = token.split('.')
    const changed = Buffer.from(body, 'base64url').toString().replace('"score":900', '"score":999')
    const forged = [head, Buffer.from(changed).toString('base64url'), signature].join('.')
    expect(verifyAttestation(forged, { anchors, nowMs })).toMatchObject({ code: 'identity.signature-invalid' })
    expect(verifyAttestation(token, { anchors, nowMs: nowMs + 200_000 })).toMatchObject({
      code: 'identity.jwt-expired',
    })
    const other = createKeySigner(generateSeed(random))
    const stolen = await signAttestation({ signer: other, ...issued }, draft)
    expect(verifyAttestation(stolen, { anchors, nowMs })).toMatchObject({ code: 'identity.credential-mismatch' })
    expect(await open.desk.trust.take(token)).toMatchObject({ code: 'identity.owner-unknown' })
  })
})

describe('trust.mode', () => {
  it('only writes down what trust would have refused where it is observed, and refuses elsewhere', async () => {
    for (const mode of ['enforce', { 'shop:*': 'observe' }] as const) {
      let calls = 0
      const buy = (): Promise<{ receipt: string }> =>
        ++calls <= 4 ? Promise.reject(new Error('broken')) : Promise.resolve({ receipt: 'r' })
      await using open = await openShop({ buy }, { desk: { trust: { mode } } })
      for (let call = 0; call < 5; call++) await open.buy()
      const last = (await open.hopsOf(open.desk)).at(-1)
      expect(last).toMatchObject(
        mode === 'enforce'
          ? { outcome: 'refused', code: 'trust.below-threshold' }
          : { outcome: 'ok', wouldRefuse: 'trust.below-threshold' },
      )
    }
  })

  it('refuses a mode that is none', async () => {
    const wrong = { desk: { trust: { mode: { shop: 'observe' } } } } as const
    await expect(openShop({}, wrong)).rejects.toMatchObject({ code: 'mesh.config-invalid' })
  })
})

describe('quarantine', () => {
  it('is where a caller goes that is denied again and again, and what it is answered then', async () => {
    await using open = await openShop()
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['shop:look'] })
    const session = await rogue.shake(open.counter.instance)
    for (let counter = 1; counter <= 60; counter++)
      await rogue.send(open.counter.instance, rogue.request(session, counter, shop.buy, { body: { item: 'x' } }))
    expect(rogue.last().body).toMatchObject({ outcome: { kind: 'refused', code: 'trust.quarantined' } })
    expect(open.mesh.recordsOf(open.counter).find(({ kind }) => kind === 'trust')).toBeDefined()
    const put = open.mesh.recordsOf(open.counter).filter(({ event }) => event === 'quarantine')
    expect(put).toMatchObject([{ cause: 'denied-too-often' }])
  })
})
