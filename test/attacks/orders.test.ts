import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKeySigner, generateSeed, signOrder } from '@parley/identity'
import type { MeshNode } from '@parley/mesh'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRogue } from '../integration/rogue.ts'
import { shop, soundServes } from '../integration/shop.ts'
import { openAttackLab, type AttackLab } from './attack-lab.ts'
import { refusedWith } from './impact.ts'
import { resign } from './tokens.ts'

// Attacks on what an owner took back: whoever carries orders may keep them, but neither make nor unmake one.

const nothing = { codes: [], delivered: [], effects: [], trust: [], answers: 0 }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-attacks-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A node that hears of orders from peers alone. */
function openStrict(lab: AttackLab, data: string): Promise<MeshNode> {
  return lab.mesh.node('acme/strict', {
    issuer: { ...lab.mesh.issuer, orderNews: () => Promise.reject(new Error('away')) },
    data,
    serves: [shop],
    serve: (node) => {
      node.serve(shop, soundServes)
    },
  })
}

describe('the orders of an owner', () => {
  it('order list rolled back: a store of before is noticed, and nobody is served who may have been revoked', async () => {
    const [data, old] = [join(folder, 'strict.sqlite'), join(folder, 'old.sqlite')]
    await using lab = await openAttackLab()
    const first = await openStrict(lab, data)
    await first.close()
    await copyFile(data, old)
    const second = await openStrict(lab, data)
    await second.acceptOrder(await lab.mesh.issuer.order('revoke', 'acme/rogue'))
    await second.close()
    // Everybody who could tell is gone; what the owner signed last shows that something is missing.
    const [thief, witness] = [await createRogue(lab.mesh, 'acme/rogue'), await createRogue(lab.mesh, 'acme/witness')]
    await lab.counter.close()
    await lab.desk.close()
    const strict = await openStrict(lab, old)
    const session = await thief.shake(strict.instance)
    const { head, orders } = await lab.mesh.issuer.orderNews(0)
    await witness.emit('orders', { orders: [], heads: [head] })
    const request = thief.request(session, 1, shop.buy, { body: { item: 'lamp' } })
    expect(await lab.attack(() => thief.send(strict.instance, request), strict)).toEqual(
      refusedWith('identity.orders-behind', 1, { answers: 1 }),
    )
    await witness.emit('orders', { orders, heads: [] })
    const again = { ...request, header: { ...request.header, counter: 2 } }
    expect(await lab.attack(() => thief.send(strict.instance, again), strict)).toEqual(
      refusedWith('iatp.session-unknown', 1, { answers: 1 }),
    )
    expect(await lab.attack(() => thief.send(strict.instance, thief.hello()), strict)).toEqual(
      refusedWith('identity.revoked', 1, { answers: 1 }),
    )
  })

  it('order list rolled back: an older head, an order again or another in its place change nothing', async () => {
    await using lab = await openAttackLab()
    const { issuer, clock } = lab.mesh
    const oldHead = (await issuer.orderNews(0)).head
    const orders = [await issuer.order('revoke', 'acme/one'), await issuer.order('revoke', 'acme/other')]
    for (const order of orders) await lab.counter.acceptOrder(order)
    await clock.advance(1_000)
    // The owner's own key signs a second history: it can only deny more.
    const fork = await resign(orders[1] ?? '', lab.owner, {
      claims: { subject: 'acme/nobody', previous: 'A'.repeat(43) },
    })
    const told = { orders: [orders[0], orders[1], fork], heads: [oldHead] }
    expect(await lab.attack(() => lab.rogue.emit('orders', told))).toMatchObject(nothing)
    const other = await createRogue(lab.mesh, 'acme/other')
    const hello = await lab.attack(() => other.send(lab.counter.instance, other.hello()))
    expect(hello).toEqual(refusedWith('identity.revoked', 3, { answers: 1 }))
  })

  it('forged: an order of somebody else, or in the name of the owner, revokes nobody', async () => {
    await using lab = await openAttackLab()
    const stranger = createKeySigner(generateSeed(lab.mesh.random))
    const nowMs = lab.mesh.clock.now()
    const draft = { sequence: 1, kind: 'revoke', subject: 'acme/desk', issuedAtMs: nowMs } as const
    const own = await signOrder(stranger, draft)
    const orders = [
      own,
      await resign(own, stranger, { claims: { iss: lab.owner.did } }),
      await resign(own, lab.issuerKey, {}),
      await resign(own, lab.owner, { claims: { exp: undefined } }),
      await resign(own, lab.owner, { claims: { subject: 'globex/desk' } }),
      'a.b.c',
    ]
    const impact = await lab.attack(() => lab.rogue.emit('orders', { orders, heads: orders }))
    expect(impact).toMatchObject(nothing)
    expect((await lab.buy()).kind).toBe('ok')
  })
})
