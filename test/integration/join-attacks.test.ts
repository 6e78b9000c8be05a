import { createKeySigner, generateInstanceKeys, generateSeed, parseJoinToken, signAdmission } from '@parley/identity'
import type { EnvelopeHeader, InstanceDid } from '@parley/protocol'
import { issuerContract } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { openIssuedMesh, type IssuedMesh } from './issued-mesh.ts'
import { shop, soundServes } from './shop.ts'
import { createStranger } from './stranger.ts'
import { readHeaders, tapWire } from './wire.ts'

/** What an instance answered a hello with: the type, and the code of a refusal. */
async function greet(
  mesh: IssuedMesh,
  to: InstanceDid,
  { credential, statement }: { readonly credential: string; readonly statement: string },
  stranger = createStranger(mesh),
): Promise<string> {
  const answers: string[] = []
  const stop = mesh.bus.tap((unit) => {
    if (unit.subject.split('.')[3] !== stranger.did.slice(8)) return
    for (const { type } of readHeaders(unit)) {
      const code = /"code":"([^"]+)"/.exec(Buffer.from(unit.data).toString('latin1'))?.[1]
      answers.push(code === undefined ? type : `${type} ${code}`)
    }
  })
  const nonce = Buffer.from(mesh.random.bytes(16)).toString('base64url')
  await stranger.send(to, { type: 'hello', nonce, versions: [1], suites: [1], credential, statement })
  stop()
  return answers.join(', ')
}

describe('the door of an issuer', () => {
  it('refuses an admission that was copied off the wire: it is of another key', async () => {
    await using mesh = await openIssuedMesh()
    const issuer = await mesh.openIssuer()
    const wire = tapWire(mesh.bus)
    const desk = await mesh.node('acme/desk', { calls: [shop.look] })
    await mesh.start(desk)
    const hello = wire.headers().find(({ type, from }) => type === 'hello' && from === desk.instance)
    const proof = pick(hello)
    expect(await greet(mesh, issuer.instance, proof)).toBe('refusal identity.credential-mismatch')
  })

  it('refuses a copied grant that another key vouches with, before and after its one use', async () => {
    await using mesh = await openIssuedMesh()
    const issuer = await mesh.openIssuer()
    const token = await mesh.token('acme/desk')
    const { grant } = parseJoinToken(token)
    const thief = createStranger(mesh)
    const mallory = createKeySigner(generateSeed(mesh.random))
    const forged = await signAdmission(mallory, {
      instance: thief.did,
      name: 'acme/desk',
      method: 'join-token',
      nowMs: mesh.clock.now(),
    })
    const proof = { credential: forged, statement: grant }
    expect(await greet(mesh, issuer.instance, proof, thief)).toBe('refusal identity.join-token-invalid')
    const desk = await mesh.node('acme/desk', { calls: [shop.look], token })
    await mesh.start(desk)
    expect(desk.health().ready).toBe(true)
    expect(await greet(mesh, issuer.instance, proof, thief)).toBe('refusal identity.join-token-invalid')
  })

  it('knows only its own methods, names and tokens', async () => {
    await using mesh = await openIssuedMesh()
    const issuer = await mesh.openIssuer()
    const { seed, grant } = parseJoinToken(await mesh.token('acme/desk'))
    const key = createKeySigner(seed)
    const thief = createStranger(mesh)
    const asked = { instance: thief.did, name: 'acme/desk', method: 'join-token', nowMs: mesh.clock.now() }
    const greetAs = async (change: Partial<typeof asked>, statement = grant): Promise<string> =>
      greet(mesh, issuer.instance, { credential: await signAdmission(key, { ...asked, ...change }), statement }, thief)
    expect(await greetAs({ method: 'trust-me' })).toBe('refusal identity.attestation-refused')
    expect(await greetAs({ name: 'rival/desk' })).toBe('refusal identity.name-not-owned')
    expect(await greetAs({ name: 'acme/boss' })).toBe('refusal identity.join-token-invalid')
    expect(await greetAs({ nowMs: asked.nowMs - 10 * 60_000 })).toBe('refusal identity.jwt-expired')
    expect(await greetAs({}, `${grant.slice(0, -4)}AAAA`)).toBe('refusal identity.signature-invalid')
    const [, payload = ''] = grant.split('.')
    expect(await greetAs({}, grant.replace(payload, payload.slice(4)))).toBe('refusal identity.jwt-invalid')
    expect(await greetAs({}, 'no token')).toBe('refusal identity.jwt-invalid')
    expect(await greetAs({})).toBe('welcome')
  })

  it('is no other node’s: an admission opens nothing there', async () => {
    await using mesh = await openIssuedMesh()
    await mesh.openIssuer()
    const counter = await mesh.node('acme/shop', { serves: [shop] })
    counter.serve(shop, soundServes)
    await mesh.start(counter)
    const { seed, grant } = parseJoinToken(await mesh.token('acme/desk'))
    const thief = createStranger(mesh)
    const asked = { instance: thief.did, name: 'acme/desk', method: 'join-token', nowMs: mesh.clock.now() }
    const credential = await signAdmission(createKeySigner(seed), asked)
    expect(await greet(mesh, counter.instance, { credential, statement: grant }, thief)).toBe(
      'refusal identity.jwt-invalid',
    )
  })

  it('leads to a credential and nothing else', async () => {
    await using mesh = await openIssuedMesh()
    const issuer = await mesh.openIssuer()
    const token = await mesh.token('acme/desk')
    const desk = await mesh.node('acme/desk', { calls: [shop.look, issuerContract.issue], token })
    await mesh.start(desk)
    const { seed, grant } = parseJoinToken(token)
    const asked = { instance: desk.instance, name: 'acme/desk', method: 'join-token', nowMs: mesh.clock.now() }
    const credential = await signAdmission(createKeySigner(seed), asked)
    // Its own instance may ask again and gets no other name; an admission renews nothing.
    const input = { serves: [], calls: [], credential, statement: grant }
    const again = await desk.tryCall(issuerContract.issue, input, { to: 'acme/issuer' })
    expect(again.kind).toBe('ok')
    const other = await signAdmission(createKeySigner(seed), { ...asked, name: 'acme/boss' })
    expect(
      await desk.tryCall(issuerContract.issue, { ...input, credential: other }, { to: 'acme/issuer' }),
    ).toMatchObject({ kind: 'refused', code: 'identity.credential-mismatch' })
    await mesh.clock.settle()
    const denied = mesh.records.get(issuer)?.filter(({ outcome }) => outcome === 'refused')
    expect(denied).toHaveLength(1)
  })

  it('believes no voucher about an instance that did not ask itself', async () => {
    await using mesh = await openIssuedMesh()
    await mesh.openIssuer()
    const keys = generateInstanceKeys(mesh.random)
    const desk = await mesh.node('acme/desk', { calls: [shop.look, issuerContract.issue], keys })
    await mesh.start(desk)
    const { grant, seed } = parseJoinToken(await mesh.token('acme/desk'))
    const [other, third] = [createKeySigner(generateSeed(mesh.random)), createKeySigner(generateSeed(mesh.random))]
    const asked = { instance: other.did, name: 'acme/desk', method: 'join-token', nowMs: mesh.clock.now() }
    const ask = async (credential: string, consent?: string): Promise<unknown> => {
      const input = { serves: [], calls: [], credential, statement: grant, ...(consent ? { consent } : {}) }
      const outcome = await desk.tryCall(issuerContract.issue, input, { to: 'acme/issuer' })
      return 'code' in outcome ? outcome.code : outcome.kind
    }
    const vouched = await signAdmission(keys.signer, asked)
    expect(await ask(vouched)).toBe('identity.jwt-invalid')
    expect(await ask(vouched, vouched)).toBe('identity.credential-mismatch')
    expect(await ask(vouched, await signAdmission(third, asked))).toBe('identity.credential-mismatch')
    expect(await ask(vouched, await signAdmission(third, { ...asked, instance: third.did }))).toBe(
      'identity.credential-mismatch',
    )
    expect(await ask(vouched, await signAdmission(other, { ...asked, name: 'acme/boss' }))).toBe(
      'identity.credential-mismatch',
    )
    // Its consent alone is not enough: the grant is of another key than the one that vouches.
    expect(await ask(vouched, await signAdmission(other, asked))).toBe('identity.join-token-invalid')
    // Neither the instance nor the voucher: the token's key has vouched for the other one.
    expect(await ask(await signAdmission(createKeySigner(seed), asked))).toBe('identity.credential-mismatch')
  })

  it('looks at a bounded number of newcomers, and still lets in who has a credential', async () => {
    await using mesh = await openIssuedMesh()
    const never = new Promise<never>(() => undefined)
    const issuer = await mesh.openIssuer({ attestors: [{ method: 'slow', attest: () => never }] })
    const answers = await Promise.all(
      Array.from({ length: 80 }, async () => {
        const newcomer = createStranger(mesh)
        const key = createKeySigner(generateSeed(mesh.random))
        const asked = { instance: newcomer.did, name: 'acme/desk', method: 'slow', nowMs: mesh.clock.now() }
        return greet(mesh, issuer.instance, { credential: await signAdmission(key, asked), statement: 'x' }, newcomer)
      }),
    )
    expect(answers.filter((answer) => answer === 'refusal iatp.sender-limited')).toHaveLength(16)
    expect(answers.filter((answer) => answer === '')).toHaveLength(64)
    const friend = createStranger(mesh)
    const issued = await mesh.acme.issue({ name: 'acme/desk', instance: friend.did, serves: [], calls: [] })
    expect(await greet(mesh, issuer.instance, issued, friend)).toBe('welcome')
  })

  it('stays shut when an attestor breaks', async () => {
    await using mesh = await openIssuedMesh()
    const attest = (): Promise<never> => Promise.reject(new Error('out of order'))
    const issuer = await mesh.openIssuer({ attestors: [{ method: 'broken', attest }] })
    const newcomer = createStranger(mesh)
    const asked = { instance: newcomer.did, name: 'acme/desk', method: 'broken', nowMs: mesh.clock.now() }
    const credential = await signAdmission(createKeySigner(generateSeed(mesh.random)), asked)
    expect(await greet(mesh, issuer.instance, { credential, statement: 'x' }, newcomer)).toBe(
      'refusal hop.stage-failed',
    )
  })
})

function pick(header: EnvelopeHeader | undefined): { readonly credential: string; readonly statement: string } {
  if (header?.credential === undefined || header.statement === undefined) throw new Error('no proof was sent')
  return { credential: header.credential, statement: header.statement }
}
