import { hashChain } from '@parley/identity'
import { createNode } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { createRogue, type Received, type RogueEnvelope } from './rogue.ts'
import { openShop, shop, type ShopMesh } from './shop.ts'
import { tapWire } from './wire.ts'

interface OneSession extends ShopMesh {
  /** Asks for `shop:buy` in the one session; gives the kind of the outcome, or its code. */
  ask(more?: Partial<RogueEnvelope>): Promise<string>
}

/** The code of an outcome, or its kind. */
function codeOf({ body }: Received): string {
  const { outcome } = body as { readonly outcome: { readonly kind: string; readonly code?: string } }
  return outcome.code ?? outcome.kind
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
    return codeOf(peer.last())
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
    await open.counter.reloadPolicy([closing])
    expect(await open.ask()).toBe('policy.denied')
    await open.counter.reloadPolicy([])
    expect(await open.ask()).toBe('ok')
  })

  it('a policy is reloaded at the caller: its next call is not sent', async () => {
    await using open = await openShop()
    const wire = tapWire(open.mesh.bus)
    expect((await open.buy()).kind).toBe('ok')
    await open.desk.reloadPolicy([closing])
    expect(await open.buy()).toMatchObject({ kind: 'refused', code: 'policy.denied', hop: { sent: false } })
    await open.desk.reloadPolicy([])
    expect((await open.buy()).kind).toBe('ok')
    expect(wire.headers().filter(({ type }) => type === 'hello')).toHaveLength(1)
  })

  it.each([
    [0, 'ok'],
    [6, 'trust.below-threshold'],
  ])('trust is lowered by %i calls that the own credential does not grant: the next one ends %s', async (bad, end) => {
    await using open = await openShop()
    const peer = await createRogue(open.mesh, 'acme/peer', { calls: ['shop:look'] })
    const session = await peer.shake(open.counter.instance)
    const ask = async (counter: number): Promise<string> => {
      const request = peer.request(session, counter, shop.buy, { body: { item: 'lamp' } })
      await peer.send(open.counter.instance, request)
      return codeOf(peer.last())
    }
    for (let counter = 1; counter <= bad; counter++) expect(await ask(counter)).toBe('policy.denied')
    // Its session takes a later credential of the same instance, which grants the capability.
    await open.mesh.clock.advance(1_000)
    const name = 'acme/peer'
    const wider = await open.mesh.issuer.issue({ name, instance: peer.did, serves: [], calls: ['shop:buy'] })
    await peer.emit('who', {}, { credential: wider.credential, statement: wider.statement })
    expect(await ask(bad + 1)).toBe(end)
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
    await open.counter.reloadPolicy([closing])
    const broken = [{ file: 'broken.yaml', text: 'apiVersion: parley/v1\nname: broken\nrules: 7' }]
    await expect(open.counter.reloadPolicy(broken)).rejects.toMatchObject({ code: 'policy.invalid' })
    expect(await open.ask()).toBe('policy.denied')
    const [last] = (await open.hopsOf(open.counter)).slice(-1)
    const events = open.mesh.recordsOf(open.counter).filter(({ event }) => String(event).startsWith('policy-'))
    expect(events.map(({ event }) => event)).toEqual(['policy-loaded', 'policy-reloaded', 'policy-kept'])
    const [loaded, reloaded, kept] = events
    expect(reloaded).toMatchObject({ before: loaded?.['policy'], policy: kept?.['policy'] })
    expect(reloaded?.['policy']).not.toBe(loaded?.['policy'])
    expect(kept?.['reason']).toContain('broken.yaml')
    expect(last?.['policy']).toBe(reloaded?.['policy'])
  })

  it('is refused by a node that is not started', async () => {
    await using open = await openShop()
    const node = await createNode({ name: 'acme/late', issuer: open.mesh.issuer, clock: open.mesh.clock })
    await expect(node.reloadPolicy([])).rejects.toMatchObject({ code: 'mesh.not-started' })
    await node.close()
  })
})
