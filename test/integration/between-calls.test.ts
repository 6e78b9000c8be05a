import { hashChain } from '@parley/identity'
import { createNode, defineContract } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRogue, type RogueEnvelope } from './rogue.ts'
import { openShop, shop, type ShopMesh } from './shop.ts'
import { tapWire } from './wire.ts'

interface OneSession extends ShopMesh {
  /** Asks for `shop:buy` in the one session; gives the kind of the outcome, or its code. */
  ask(more?: Partial<RogueEnvelope>): Promise<string>
}

/** Opens the shop to a peer that speaks by hand in one session: only what the shop decides anew can change its answers. */
async function openSession(): Promise<OneSession> {
  const open = await openShop()
  const peer = await createRogue(open.mesh, 'acme/peer', { calls: ['shop:buy'] })
  const session = await peer.shake(open.counter.instance)
  let counter = 0
  const ask: OneSession['ask'] = async (more = {}) => {
    counter += 1
    await peer.send(
      open.counter.instance,
      peer.request(session, counter, shop.buy, { body: { item: 'lamp' }, ...more }),
    )
    const { outcome } = peer.last().body as { readonly outcome: { readonly kind: string; readonly code?: string } }
    return outcome.code ?? outcome.kind
  }
  expect(await ask()).toBe('ok')
  return { ...open, ask, [Symbol.asyncDispose]: () => open.mesh.close() }
}

const closing = {
  file: 'closing.yaml',
  text: [
    'apiVersion: parley/v1',
    'name: closing',
    'default: allow',
    'rules:',
    '  - name: closed-for-today',
    "    when: action == 'shop:buy'",
    '    effect: deny',
    '    reason: the shop is closed',
  ].join('\n'),
}

describe('between two calls of one session', () => {
  it('a policy is reloaded: the next call is decided by it, and so is the one after it is taken back', async () => {
    await using open = await openSession()
    open.counter.reloadPolicy([closing])
    expect(await open.ask()).toBe('policy.denied')
    open.counter.reloadPolicy([])
    expect(await open.ask()).toBe('ok')
  })

  it('a policy is reloaded at the caller: its next call is not sent', async () => {
    await using open = await openShop()
    const wire = tapWire(open.mesh.bus)
    expect((await open.buy()).kind).toBe('ok')
    open.desk.reloadPolicy([closing])
    expect(await open.buy()).toMatchObject({ kind: 'refused', code: 'policy.denied', hop: { sent: false } })
    open.desk.reloadPolicy([])
    expect((await open.buy()).kind).toBe('ok')
    expect(wire.headers().filter(({ type }) => type === 'hello')).toHaveLength(1)
  })

  it('trust is lowered by what was seen: the next call falls short of it', async () => {
    await using open = await openShop()
    const item = { input: z.object({}), output: z.object({}), risk: 'reversible' } as const
    const store = defineContract('store', { rent: item, sell: item })
    const keeper = await open.mesh.node('acme/store', {
      serves: [store],
      serve: (node) => {
        node.serve(store, { rent: () => ({}), sell: () => ({}) })
      },
    })
    const peer = await createRogue(open.mesh, 'acme/peer', { calls: ['store:rent'] })
    const session = await peer.shake(keeper.instance)
    const ends: unknown[] = []
    for (const [at, capability] of [store.rent, ...Array.from({ length: 6 }, () => store.sell), store.rent].entries()) {
      await peer.send(keeper.instance, peer.request(session, at + 1, capability))
      ends.push((peer.last().body as { readonly outcome: { readonly code?: string } }).outcome.code)
    }
    expect([ends[0], ends[1], ends.at(-1)]).toEqual([undefined, 'policy.denied', 'trust.below-threshold'])
  })

  it('a link is revoked: the next call under its chain is refused, one without it is not', async () => {
    await using open = await openSession()
    const links = await open.mesh.issuer.delegate({ to: 'acme/peer', capabilities: ['shop:buy'], forMs: 600_000 })
    const chain = hashChain(links)
    expect(await open.ask({ header: { chain, links } })).toBe('ok')
    expect(await open.ask({ header: { chain } })).toBe('ok')
    const claims = Buffer.from(links[0]?.split('.')[1] ?? '', 'base64url').toString()
    const { jti } = JSON.parse(claims) as { readonly jti: string }
    expect((await open.counter.acceptOrder(await open.mesh.issuer.order('revoke', jti))).kind).toBe('allow')
    // The session forgot the chain with the order; sent whole again, it is refused for what it is.
    expect(await open.ask({ header: { chain } })).toBe('delegation.unknown')
    expect(await open.ask({ header: { chain, links } })).toBe('identity.revoked')
    expect(await open.ask()).toBe('ok')
  })

  it('a credential expires: the next call is refused', async () => {
    await using open = await openSession()
    await open.mesh.clock.advance(899_000)
    expect(await open.ask()).toBe('ok')
    await open.mesh.clock.advance(1_000)
    expect(await open.ask()).toBe('identity.credential-expired')
  })

  it('a name is revoked: the next call finds no session, and no other is opened', async () => {
    await using open = await openSession()
    await open.counter.acceptOrder(await open.mesh.issuer.order('revoke', 'acme/peer'))
    expect(await open.ask()).toBe('iatp.session-unknown')
    const again = await createRogue(open.mesh, 'acme/peer', { calls: ['shop:buy'] })
    await expect(again.shake(open.counter.instance)).rejects.toThrow('identity.revoked')
  })
})

describe('reloadPolicy', () => {
  it('keeps what is in force when a document has a mistake, and records both ends', async () => {
    await using open = await openSession()
    open.counter.reloadPolicy([closing])
    expect(() => {
      open.counter.reloadPolicy([{ file: 'broken.yaml', text: 'apiVersion: parley/v1\nname: broken\nrules: 7' }])
    }).toThrow(expect.objectContaining({ code: 'policy.invalid' }))
    expect(await open.ask()).toBe('policy.denied')
    const [last] = (await open.hopsOf(open.counter)).slice(-1)
    const events = open.mesh.recordsOf(open.counter).filter(({ event }) => String(event).startsWith('policy-'))
    expect(events.map(({ event }) => event)).toEqual(['policy-reloaded', 'policy-kept'])
    expect(events[0]?.['policy']).toBe(events[1]?.['policy'])
    expect(events[0]?.['before']).not.toBe(events[0]?.['policy'])
    expect(events[1]?.['reason']).toContain('broken.yaml')
    expect(last?.['policy']).toBe(events[0]?.['policy'])
  })

  it('is refused by a node that is not started', async () => {
    await using open = await openShop()
    const node = await createNode({ name: 'acme/late', issuer: open.mesh.issuer, clock: open.mesh.clock })
    expect(() => {
      node.reloadPolicy([])
    }).toThrow(expect.objectContaining({ code: 'mesh.not-started' }))
    await node.close()
  })
})
