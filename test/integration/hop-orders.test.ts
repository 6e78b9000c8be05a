import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKeySigner, generateSeed, signOrder } from '@parley/identity'
import type { Hop, MeshNode } from '@parley/mesh'
import type { Transport } from '@parley/ports'
import { formatInboxSubject } from '@parley/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endOf, flights } from './agency.ts'
import { openShop, shop, soundServes, type ShopMesh } from './shop.ts'
import { createRogue } from './rogue.ts'
import { tapWire } from './wire.ts'

const revoked = 'identity.revoked'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-orders-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** An issuer that gives credentials but tells nothing of orders: they come from peers alone. */
const silent = (open: ShopMesh) => ({ ...open.mesh.issuer, orderNews: () => Promise.reject(new Error('away')) })

/** Opens a shop whose nodes hear of orders from each other alone. */
async function openSilent(
  data?: string,
  transports: Transport[] = [],
): Promise<ShopMesh & { readonly strict: MeshNode }> {
  const open = await openShop()
  await open.counter.close()
  const transport = open.mesh.bus.connect()
  transports.push(transport)
  const strict = await openStrict(open, data, transport)
  return { ...open, strict }
}

function openStrict(open: ShopMesh, data?: string, transport?: Transport): Promise<MeshNode> {
  return open.mesh.node('acme/strict', {
    issuer: silent(open),
    ...(data === undefined ? {} : { data }),
    ...(transport && { transport }),
    serves: [shop],
    serve: (node) => {
      node.serve(shop, soundServes)
    },
  })
}

const buyAt = async (open: ShopMesh): Promise<string> =>
  endOf(await open.desk.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/strict', deadlineMs: 2_000 }))

describe('an order', () => {
  it('is in force at the next hop of a live session where it is accepted, and the session is gone', async () => {
    await using open = await openShop()
    expect((await open.buy()).kind).toBe('ok')
    const order = await open.mesh.issuer.order('revoke', 'acme/desk')
    expect(await open.counter.acceptOrder(order)).toEqual({ kind: 'allow' })
    expect(endOf(await open.buy())).toBe(revoked)
    expect(await open.counter.acceptOrder(order)).toMatchObject({ code: 'identity.order-stale' })
    const told = open.mesh.recordsOf(open.counter).find(({ kind }) => kind === 'order')
    expect(told).toMatchObject({ event: 'revoke', sequence: 1, subject: 'acme/desk' })
  })

  it('is told to everybody who is connected', async () => {
    await using open = await openSilent()
    expect(await buyAt(open)).toBe('ok')
    await open.desk.acceptOrder(await open.mesh.issuer.order('revoke', 'acme/other'))
    const second = await open.mesh.issuer.order('revoke', open.desk.instance)
    await open.desk.acceptOrder(second)
    await open.mesh.clock.settle()
    expect(open.mesh.recordsOf(open.strict).filter(({ kind }) => kind === 'order')).toMatchObject([
      { sequence: 1, subject: 'acme/other' },
      { sequence: 2, subject: open.desk.instance },
    ])
    // The desk holds the order against itself, too.
    expect(await buyAt(open)).toBe(revoked)
  })

  it('of the own issuer comes within a second, without anybody handing it over', async () => {
    await using open = await openShop()
    expect((await open.buy()).kind).toBe('ok')
    await open.mesh.issuer.order('revoke', 'acme/desk')
    await open.mesh.clock.advance(1_000)
    expect(endOf(await open.buy())).toBe(revoked)
  })

  it('against a link refuses the chain and leaves the agents alone', async () => {
    await using open = await openShop()
    const { issuer } = open.mesh
    const delegation = await issuer.delegate({ to: 'acme/desk', capabilities: ['shop:buy'], forMs: 60_000 })
    const call = async (links?: readonly string[]): Promise<string> =>
      endOf(await open.desk.tryCall(shop.buy, { item: 'lamp' }, links ? { delegation: links } : {}))
    expect(await call(delegation)).toBe('ok')
    const [link = ''] = delegation
    const { jti } = JSON.parse(Buffer.from(link.split('.')[1] ?? '', 'base64url').toString()) as { jti: string }
    await open.counter.acceptOrder(await issuer.order('revoke', jti))
    expect(await call(delegation)).toBe(revoked)
    expect(await call()).toBe('ok')
  })

  it('that was forged, or is of an owner nobody accepts, changes nothing wherever it comes from', async () => {
    await using open = await openShop()
    const stranger = createKeySigner(generateSeed(open.mesh.random))
    const draft = { sequence: 1, kind: 'revoke', subject: 'acme/desk', issuedAtMs: open.mesh.clock.now() } as const
    const forged = await signOrder({ ...stranger, did: open.mesh.issuer.owner }, draft)
    const foreign = await signOrder(stranger, { ...draft, subject: open.desk.instance })
    expect(await open.counter.acceptOrder(forged)).toMatchObject({ code: 'identity.signature-invalid' })
    expect(await open.counter.acceptOrder(foreign)).toMatchObject({ code: 'identity.owner-unknown' })
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    await rogue.emit('orders', { orders: [forged, foreign, 'nonsense'], heads: ['nonsense'] })
    await rogue.emit('orders', { orders: 'all of them' })
    await rogue.emit('card', { boot: 'b', serves: {}, leaving: false, orders: { [open.mesh.issuer.owner]: 2 ** 50 } })
    expect((await open.buy()).kind).toBe('ok')
  })

  it('is told again to who asks this node for it, twenty times a second at most, and to nobody who asks another', async () => {
    await using open = await openSilent()
    await open.strict.acceptOrder(await open.mesh.issuer.order('revoke', 'acme/one'))
    await open.mesh.clock.advance(1_000)
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const wire = tapWire(open.mesh.bus)
    const told = (): number =>
      wire.headers().filter(({ to, from }) => to === 'orders' && from === open.strict.instance).length
    const after = { [open.mesh.issuer.owner]: 0 }
    await rogue.emit('orders-wanted', { of: [open.desk.instance], after })
    expect(told()).toBe(0)
    for (let asked = 0; asked < 30; asked++) await rogue.emit('orders-wanted', { of: [open.strict.instance], after })
    // The question to another was heard as well.
    expect(told()).toBe(19)
  })

  it('that comes before those that it follows is in force at once, and the others are fetched', async () => {
    await using open = await openSilent()
    expect(await buyAt(open)).toBe('ok')
    const { issuer } = open.mesh
    const orders = [
      await issuer.order('revoke', 'acme/one'),
      await issuer.order('revoke', 'acme/two'),
      await issuer.order('revoke', 'acme/rogue'),
    ]
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    open.mesh.disconnect(open.desk)
    expect(await open.strict.acceptOrder(orders[2] ?? '')).toMatchObject({ code: 'identity.order-gap' })
    await rogue.send(open.strict.instance, rogue.hello())
    expect(rogue.last().body).toMatchObject({ outcome: { code: revoked } })
    await open.mesh.reconnect(open.desk)
    await open.mesh.clock.advance(2_000)
    expect(await buyAt(open)).toBe('ok')
    expect(await open.strict.acceptOrder(orders[2] ?? '')).toMatchObject({ code: 'identity.order-stale' })
  })
})

describe('an order to kill', () => {
  it('aborts what runs for the killed caller, and nothing else', async () => {
    const running: Pick<Hop, 'signal' | 'caller'>[] = []
    await using open = await openShop({
      buy: (_, hop) => {
        running.push(hop)
        return new Promise(() => undefined)
      },
    })
    const other = await open.mesh.node('acme/other', { calls: [shop.buy] })
    const calls = [open.buy(), other.tryCall(shop.buy, { item: 'lamp' })]
    await open.mesh.clock.advance(10)
    expect(running).toHaveLength(2)
    await open.counter.acceptOrder(await open.mesh.issuer.order('kill', open.desk.instance))
    const aborted = running.filter(({ signal }) => signal.aborted)
    expect(aborted.map(({ caller }) => caller.name)).toEqual(['acme/desk'])
    await open.mesh.clock.advance(10_000)
    await Promise.all(calls)
  })

  it('of a node aborts what it serves, and it serves and calls no more', async () => {
    const running: Pick<Hop, 'signal' | 'caller'>[] = []
    await using open = await openShop({
      buy: (_, hop) => {
        running.push(hop)
        return new Promise(() => undefined)
      },
    })
    const call = open.buy()
    await open.mesh.clock.advance(10)
    await open.counter.acceptOrder(await open.mesh.issuer.order('kill', 'acme/shop'))
    expect(running[0]?.signal.aborted).toBe(true)
    await open.mesh.clock.advance(10_000)
    expect((await call).kind).toBe('unknown')
    const late = open.buy()
    await open.mesh.clock.advance(2_000)
    expect((await late).kind).toBe('refused')
    expect(running).toHaveLength(1)
  })
})

describe('a node that was away', () => {
  it('hears of an order before it serves anybody again', async () => {
    await using open = await openSilent()
    expect(await buyAt(open)).toBe('ok')
    open.mesh.disconnect(open.strict)
    const order = await open.mesh.issuer.order('revoke', 'acme/rogue')
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['shop:buy'] })
    await open.desk.acceptOrder(order)
    await open.mesh.reconnect(open.strict)
    await rogue.send(open.strict.instance, rogue.hello())
    expect(rogue.last().body).toMatchObject({ outcome: { code: revoked } })
  })

  it('holds a request that comes at once until it has heard', async () => {
    const transports: Transport[] = []
    await using open = await openSilent(undefined, transports)
    const [transport] = transports
    if (!transport) throw new Error('the node has no transport')
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['shop:buy'] })
    const { instance } = open.strict
    const session = await rogue.shake(instance)
    const request = rogue.request(session, 1, shop.buy, { header: { to: instance }, body: { item: 'lamp' } })
    const { bytes } = await rogue.frame([request])
    open.mesh.disconnect(open.strict)
    await open.desk.acceptOrder(await open.mesh.issuer.order('revoke', 'acme/rogue'))
    await open.mesh.clock.settle()
    const before = rogue.inbox.length
    open.mesh.bus.reconnect(transport)
    await rogue.publish(formatInboxSubject('main', instance, rogue.did), bytes)
    expect(rogue.inbox).toHaveLength(before)
    await open.mesh.clock.advance(100)
    expect(rogue.last().body).toMatchObject({ outcome: { code: revoked } })
  })

  it('knows after a restart what it held, and fetches from peers what came meanwhile', async () => {
    const data = join(folder, 'strict.sqlite')
    await using open = await openSilent(data)
    const { issuer } = open.mesh
    await open.desk.acceptOrder(await issuer.order('revoke', 'acme/one'))
    await open.mesh.clock.settle()
    await open.strict.close()
    await open.desk.acceptOrder(await issuer.order('revoke', 'acme/two'))
    const strict = await openStrict(open, data)
    const held = open.mesh.recordsOf(strict).filter(({ kind }) => kind === 'order')
    expect(held.map(({ sequence }) => sequence)).toEqual([2])
  })

  it('and whose store was rolled back refuses until the orders that it lost are back', async () => {
    const data = join(folder, 'strict.sqlite')
    const old = join(folder, 'old.sqlite')
    await using open = await openSilent(data)
    await open.strict.close()
    await copyFile(data, old)
    const again = await openStrict(open, data)
    await again.acceptOrder(await open.mesh.issuer.order('revoke', 'acme/rogue'))
    await again.close()
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['shop:buy'] })
    // Rolled back, and cut off from all who could tell: only what its owner signed shows that something is missing.
    await open.desk.close()
    const strict = await openStrict(open, old)
    const { head } = await open.mesh.issuer.orderNews(0)
    const session = await rogue.shake(strict.instance)
    await rogue.emit('orders', { orders: [], heads: [head] })
    await rogue.send(strict.instance, rogue.request(session, 1, shop.buy, { body: { item: 'lamp' } }))
    await open.mesh.clock.advance(1_000)
    expect(rogue.last().body).toMatchObject({ outcome: { code: 'identity.orders-behind' } })
    const { orders } = await open.mesh.issuer.orderNews(0)
    await strict.acceptOrder(orders[0] ?? '')
    await rogue.send(strict.instance, rogue.hello())
    expect(rogue.last().body).toMatchObject({ outcome: { code: revoked } })
  })
})

describe("an owner whose orders are 'required'", () => {
  async function openRequired(): Promise<ShopMesh & { setAway(isAway: boolean): void }> {
    const open = await openShop()
    await open.counter.close()
    let isAway = false
    const { issuer } = open.mesh
    const anchor = { ...issuer.anchor, orders: 'required' as const }
    await open.mesh.node('acme/strict', {
      issuer: {
        ...issuer,
        anchor,
        orderNews: (after) => (isAway ? Promise.reject(new Error('away')) : issuer.orderNews(after)),
      },
      serves: [shop],
      serve: (node) => {
        node.serve(shop, soundServes)
      },
    })
    // Only the strict node is left to hear the issuer.
    const desk = await open.mesh.node('acme/desk', {
      issuer: { ...issuer, orderNews: () => Promise.reject(new Error('away')) },
      calls: shop.capabilities,
    })
    await open.desk.close()
    return {
      ...open,
      desk,
      setAway(away) {
        isAway = away
      },
    }
  }

  it('is served at each risk only while its last word is fresh enough', async () => {
    await using open = await openRequired()
    const ends = async (): Promise<readonly string[]> => {
      const to = { to: 'acme/strict' } as const
      return [
        endOf(await open.desk.tryCall(shop.look, { item: 'x' }, to)),
        endOf(await open.desk.tryCall(shop.buy, { item: 'x' }, to)),
        endOf(await open.desk.tryCall(shop.burn, {}, to)),
      ]
    }
    await open.mesh.clock.advance(1_000)
    const outdated = 'identity.orders-outdated'
    const [look, buy, burn] = await ends()
    expect([look, buy, burn].includes(outdated)).toBe(false)
    open.setAway(true)
    await open.mesh.clock.advance(45_000)
    expect((await ends()).map((end) => end === outdated)).toEqual([false, false, true])
    await open.mesh.clock.advance(5 * 60_000)
    expect((await ends()).map((end) => end === outdated)).toEqual([false, true, true])
    await open.mesh.clock.advance(10 * 60_000)
    expect((await ends()).map((end) => end === outdated)).toEqual([true, true, true])
    open.setAway(false)
    await open.mesh.clock.advance(1_000)
    expect((await ends()).includes(outdated)).toBe(false)
  })

  it('is not served at all before its first word, and one that does not require it is', async () => {
    await using open = await openShop()
    const { issuer } = open.mesh
    const anchor = { ...issuer.anchor, orders: 'required' as const }
    // Nobody is left who could have heard the issuer.
    await open.counter.close()
    await open.desk.close()
    const serve = (node: MeshNode): void => {
      node.serve(flights, { reserve: () => ({ seat: '1A' }), cancel: () => ({}) })
    }
    const lone = { ...issuer, orderNews: () => new Promise<never>(() => undefined) }
    const strict = await open.mesh.node('acme/strict', { serves: [flights], issuer: { ...lone, anchor }, serve })
    expect(strict.health().ready).toBe(true)
    const loose = await open.mesh.node('acme/loose', { serves: [flights], issuer: lone, serve })
    const desk = await open.mesh.node('acme/late', { calls: flights.capabilities, issuer: lone })
    const call = async (to: MeshNode): Promise<string> =>
      endOf(await desk.tryCall(flights.cancel, {}, { to: to.name, deadlineMs: 2_000 }))
    expect(await call(loose)).toBe('ok')
    expect(await call(strict)).toBe('identity.orders-outdated')
  })
})
