import { createKeySigner, extendDelegation, generateSeed, signDelegation } from '@parley/identity'
import { createNode, defineContract, localIssuer, type Serves } from '@parley/mesh'
import { formatInboxSubject, type InstanceDid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRogue, type Rogue } from './rogue.ts'
import { openShop, shop, type ShopMesh } from './shop.ts'

interface Guarded extends ShopMesh {
  /** What ran at the shop, in order. */
  readonly ran: readonly string[]
  /** Sends one request in a fresh session and tells its outcome. */
  ask(
    rogue: Rogue,
    header?: Readonly<Record<string, unknown>>,
    body?: unknown,
  ): Promise<Readonly<Record<string, unknown>>>
}

async function openGuarded(): Promise<Guarded> {
  const ran: string[] = []
  const did =
    <Value>(what: string, value: Value) =>
    (): Value => {
      ran.push(what)
      return value
    }
  const open = await openShop({
    look: did('look', { cents: 1 }),
    buy: { do: did('buy', { receipt: 'r' }), undo: did('undo buy', undefined) },
    burn: { do: did('burn', {}), undo: did('undo burn', undefined), lookup: did('lookup burn', { found: 'absent' }) },
    wipe: { do: did('wipe', {}), undo: did('undo wipe', undefined) },
  })
  return {
    ...open,
    ran,
    async ask(rogue, header = {}, body = { item: 'x' }) {
      const session = await rogue.shake(open.counter.instance)
      await rogue.send(open.counter.instance, rogue.request(session, 1, shop.buy, { header, body }))
      return (rogue.last().body as { outcome: Readonly<Record<string, unknown>> }).outcome
    },
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  }
}

const command = { id: 's', step: 'a', attempt: 1, epoch: 1, key: 'k', expiresAtMs: 4_000_000_000_000 }

describe('a caller beyond its grant', () => {
  it('gets no handler to run by phase, qualifier or another contract, and its session stays sound', async () => {
    await using open = await openGuarded()
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['shop:buy'] })
    const { capability: burn, hash } = shop.burn
    expect(await open.ask(rogue, { capability: 'shop:buy:vip' })).toMatchObject({ code: 'contract.capability-unknown' })
    for (const capability of ['shop:constructor', 'shop:valueof', 'shop:capabilities'])
      expect(await open.ask(rogue, { capability })).toMatchObject({ code: 'contract.capability-unknown' })
    expect(await open.ask(rogue, { contract: hash })).toMatchObject({ code: 'contract.incompatible' })
    expect(open.ran).toEqual([])
    expect(await open.ask(rogue)).toMatchObject({ kind: 'ok' })
    for (const phase of ['do', 'undo', 'lookup'])
      expect(
        await open.ask(rogue, { capability: burn, contract: hash, saga: { ...command, phase } }, {}),
      ).toMatchObject({ kind: 'refused', code: 'policy.denied' })
    expect(open.ran).toEqual(['buy'])
  })

  it('passes the ring table by undo only to the undo, never to the handler', async () => {
    await using open = await openGuarded()
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['shop:*'] })
    const { capability, hash } = shop.wipe
    const wipe = { capability, contract: hash }
    expect(await open.ask(rogue, wipe, {})).toMatchObject({ code: 'trust.below-threshold' })
    expect(await open.ask(rogue, { ...wipe, saga: { ...command, phase: 'do' } }, {})).toMatchObject({
      code: 'trust.below-threshold',
    })
    expect(await open.ask(rogue, { ...wipe, saga: { ...command, phase: 'lookup' } }, {})).toMatchObject({
      code: 'saga.command-invalid',
    })
    await open.ask(rogue, { ...wipe, saga: { ...command, phase: 'undo' } }, {})
    expect(open.ran).toEqual(['undo wipe'])
  })

  it('finds no phase beside the three', async () => {
    await using open = await openGuarded()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    const before = rogue.inbox.length
    for (const phase of ['redo', 'constructor', '__proto__', null, undefined])
      await rogue.send(
        open.counter.instance,
        rogue.request(session, 1, shop.buy, { header: { saga: { ...command, phase } }, body: { item: 'x' } }),
      )
    expect(rogue.inbox).toHaveLength(before)
    expect(open.ran).toEqual([])
  })
})

describe('a credential', () => {
  it('is worth nothing with another key, as its own statement, as a delegation, or across issuers', async () => {
    await using open = await openGuarded()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const other = await createRogue(open.mesh, 'acme/other')
    const evil = localIssuer('evil', { clock: open.mesh.clock, random: open.mesh.random })
    const foreign = await evil.issue({ name: 'evil/x', instance: rogue.did, serves: [], calls: ['shop:buy'] })
    const stolen: readonly (readonly [string, string, string])[] = [
      [other.issued.credential, other.issued.statement, 'identity.credential-mismatch'],
      [rogue.issued.statement, rogue.issued.statement, 'identity.jwt-invalid'],
      [rogue.issued.credential, rogue.issued.credential, 'identity.jwt-invalid'],
      [foreign.credential, rogue.issued.statement, 'identity.credential-mismatch'],
      [rogue.issued.credential, foreign.statement, 'identity.owner-unknown'],
      [foreign.credential, foreign.statement, 'identity.owner-unknown'],
    ]
    for (const [credential, statement, code] of stolen) {
      await rogue.send(open.counter.instance, { header: { ...rogue.hello().header, credential, statement } })
      expect(rogue.last()).toMatchObject({ header: { type: 'refusal' }, body: { outcome: { kind: 'refused', code } } })
    }
    const links = [rogue.issued.credential]
    expect(await open.ask(rogue, { chain: 'A'.repeat(43), links })).toMatchObject({ code: 'delegation.invalid' })
    const [link = ''] = await open.mesh.issuer.delegate({ to: 'acme/rogue', capabilities: ['shop:buy'], forMs: 60_000 })
    await rogue.send(open.counter.instance, {
      header: { ...rogue.hello().header, credential: link },
    })
    expect(rogue.last().body).toMatchObject({ outcome: { code: 'identity.jwt-invalid' } })
    expect(open.ran).toEqual([])
  })

  it('of an accepted owner cannot carry the name of another owner', async () => {
    await using open = await openGuarded()
    const { clock, random } = open.mesh
    const partner = localIssuer('globex', { clock, random })
    const node = await open.mesh.node('acme/broad', {
      anchors: [open.mesh.issuer.anchor, partner.anchor],
      serves: [shop],
      serve: (one) => {
        one.serve(shop, {
          look: () => ({ cents: 1 }),
          buy: () => ({ receipt: 'r' }),
          burn: () => ({}),
          wipe: () => ({}),
        })
      },
    })
    // The partner's issuer under an alias of its own choice: what it signs says `acme/desk`.
    const liar = localIssuer('acme', { clock, random })
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const issued = await liar.issue({ name: 'acme/desk', instance: rogue.did, serves: [], calls: ['shop:buy'] })
    await rogue.send(node.instance, {
      header: { ...rogue.hello().header, ...issued, expiresAtMs: clock.now() + 1_000 },
    })
    expect(rogue.last().body).toMatchObject({ outcome: { kind: 'refused', code: 'identity.owner-unknown' } })
  })
})

describe('a key', () => {
  it('of small order, or in another spelling, proves nothing', async () => {
    await using open = await openGuarded()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const { bytes } = await rogue.frame([{ header: { to: open.counter.instance, ...rogue.hello().header } }])
    // The identity point: a verifier without the check takes any message with S = 0 and R = identity.
    const identityPoint = 'z6MkeXATEjyXENzBXBxgC5EHk2JE5aqd7qMGGtDpLUH1e2Sj'
    const forged = bytes.slice()
    forged.fill(0, 7, 71)
    forged[7] = 1
    const before = rogue.inbox.length
    const tokens = [
      identityPoint,
      rogue.did.slice(8).toLowerCase(),
      `${rogue.did.slice(8)}1`,
      `z1${rogue.did.slice(9)}`,
    ]
    for (const token of tokens) {
      await rogue.publish(formatInboxSubject('main', open.counter.instance, `did:key:${token}` as InstanceDid), forged)
      await rogue.publish(formatInboxSubject('main', open.counter.instance, `did:key:${token}` as InstanceDid), bytes)
    }
    await open.mesh.clock.advance(1_001)
    expect(rogue.inbox).toHaveLength(before)
    const codes = open.mesh.recordsOf(open.counter).map(({ codes: told }) => told)
    expect(codes.join()).toContain('identity.signature-invalid=8')
  })
})

describe('a delegation', () => {
  it('with a constraint that the input breaks is refused, and one that nobody can judge is never signed', async () => {
    await using open = await openGuarded()
    const { issuer } = open.mesh
    const request = { to: 'acme/desk', capabilities: ['shop:buy'], forMs: 60_000 } as const
    const delegation = await issuer.delegate({ ...request, constraints: { item: { in: ['lamp'] } } })
    expect(await open.desk.tryCall(shop.buy, { item: 'x' }, { delegation })).toMatchObject({
      kind: 'refused',
      code: 'delegation.constraint-violated',
    })
    const unknown = { item: { max: 1, longest: 1 } }
    await expect(issuer.delegate({ ...request, constraints: unknown })).rejects.toMatchObject({
      code: 'delegation.constraint-unknown',
    })
    expect(open.ran).toEqual([])
    expect(
      (await open.desk.tryCall(shop.buy, { item: 'x' }, { delegation: await issuer.delegate(request) })).kind,
    ).toBe('ok')
  })

  it('cannot be begun by an agent, widened by its delegate, or used by whom it was handed on from', async () => {
    await using open = await openGuarded()
    const { clock, issuer } = open.mesh
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const own = createKeySigner(generateSeed(open.mesh.random))
    const times = { notBeforeMs: clock.now(), expiresAtMs: clock.now() + 60_000 }
    const delegate = { owner: issuer.owner, name: 'acme/rogue' } as const
    const begun = await signDelegation(own, { id: 'a', delegate, capabilities: ['shop:buy'], ...times })
    const chain = 'A'.repeat(43)
    expect(await open.ask(rogue, { chain, links: begun })).toMatchObject({ code: 'identity.owner-unknown' })
    const narrow = await issuer.delegate({ to: 'acme/rogue', capabilities: ['shop:look'], forMs: 60_000 })
    await expect(
      extendDelegation(
        narrow,
        { id: 'b', delegate, capabilities: ['shop:buy'], ...times },
        { signer: own, agent: delegate, ...rogue.issued },
      ),
    ).rejects.toMatchObject({ code: 'delegation.widened' })
    expect(await open.ask(rogue, { chain, links: narrow })).toMatchObject({ code: 'delegation.invalid' })
    const theirs = await issuer.delegate({ to: 'acme/desk', capabilities: ['shop:buy'], forMs: 60_000 })
    expect(await open.ask(rogue, { chain, links: theirs })).toMatchObject({ code: 'delegation.wrong-delegate' })
    expect(await open.ask(rogue, { chain, links: [...narrow, ...narrow] })).toMatchObject({
      code: 'delegation.invalid',
    })
    expect(open.ran).toEqual([])
  })
})

describe('an announcement', () => {
  it('of a capability that the credential does not grant draws no calls', async () => {
    await using open = await openGuarded()
    const rogue = await createRogue(open.mesh, 'acme/rogue', { serves: ['shop:look'] })
    const serves = { 'shop:buy': shop.buy.hash, 'shop:look': shop.look.hash }
    await rogue.emit('card', { boot: 'b', serves, leaving: false })
    expect(open.desk.providers('shop:buy')).toEqual(['acme/shop'])
    expect(open.desk.providers('shop:look')).toContain('acme/rogue')
    for (let call = 0; call < 5; call++) expect((await open.buy()).kind).toBe('ok')
  })

  it("for another's name, or that another leaves, changes nothing", async () => {
    await using open = await openGuarded()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const leaving = { boot: 'b', serves: {}, leaving: true }
    await rogue.emit('card', leaving, { from: open.counter.instance })
    await rogue.emit('card', leaving, { name: 'acme/shop' })
    expect(open.desk.providers('shop:buy')).toEqual(['acme/shop'])
    expect((await open.buy()).kind).toBe('ok')
    expect(open.counter.health()).toMatchObject({ ready: true })
  })
})

describe('a contract', () => {
  it('has no operation that every object serves by itself', async () => {
    const odd = defineContract('odd', {
      constructor: { input: z.object({}), output: z.looseObject({}), risk: 'read' },
    })
    const issuer = localIssuer('acme')
    await using node = await createNode({ name: 'acme/odd', issuer, serves: [odd] })
    expect(() => {
      node.serve(odd, {} as Serves<typeof odd>)
    }).toThrow(expect.objectContaining({ code: 'mesh.config-invalid' }))
  })
})
