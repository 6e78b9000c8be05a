import { localIssuer, type MeshNode } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { endOf } from './agency.ts'
import { createRogue } from './rogue.ts'
import { openShop, shop, soundServes, type ShopMesh } from './shop.ts'

const hourMs = 3_600_000
const reason = 'audited'

function toldOf({ mesh }: ShopMesh, node: MeshNode): readonly unknown[] {
  return mesh.recordsOf(node).filter(({ kind }) => kind === 'trust')
}

describe("an owner's order to pin", () => {
  it('gives its own name that score at every node that accepts the owner, and explains it', async () => {
    await using open = await openShop()
    const { clock, issuer } = open.mesh
    expect(endOf(await open.buy())).toBe('ok')
    const untilMs = clock.now() + hourMs
    await open.counter.acceptOrder(await issuer.order('pin', 'acme/shop', { score: 100, untilMs, reason }))
    await clock.settle()
    const explained = await open.desk.trust.explain('acme/shop')
    expect(explained).toMatchObject({ score: 100, tier: 'untrusted', ordered: { pin: { score: 100, reason } } })
    expect(explained?.raise[0]).toContain('its owner pinned it at 100')
    expect(endOf(await open.buy())).toBe('trust.below-threshold')
    await clock.advance(hourMs)
    expect(endOf(await open.buy())).toBe('ok')
  })

  it('lifts it no higher than its record may, nor above the ceiling of its anchor', async () => {
    await using open = await openShop()
    const { clock, issuer } = open.mesh
    const trusting = await open.mesh.node('acme/lowly', {
      calls: [shop.buy],
      anchors: [{ ...issuer.anchor, ceiling: 450 }],
    })
    const untilMs = clock.now() + hourMs
    await open.counter.acceptOrder(await issuer.order('pin', 'acme/shop', { score: 1000, untilMs, reason }))
    await clock.settle()
    expect(await open.desk.trust.explain('acme/shop')).toMatchObject({ score: 699, tier: 'standard' })
    expect(endOf(await trusting.tryCall(shop.buy, { item: 'lamp' }))).toBe('trust.below-threshold')
    expect((await open.hopsOf(trusting)).at(-1)).toMatchObject({ score: 450 })
  })

  it('gives way to the pin of an operator, who sees both', async () => {
    await using open = await openShop()
    const { clock, issuer } = open.mesh
    const untilMs = clock.now() + hourMs
    await open.desk.acceptOrder(await issuer.order('pin', 'acme/shop', { score: 100, untilMs, reason }))
    expect(await open.desk.trust.pin('acme/shop', 620, { reason: 'seen', forMs: hourMs })).toEqual({ kind: 'allow' })
    expect(await open.desk.trust.explain('acme/shop')).toMatchObject({ score: 620, ordered: { pin: { score: 100 } } })
    await open.desk.trust.unpin('acme/shop', { reason: 'no more' })
    expect(await open.desk.trust.explain('acme/shop')).toMatchObject({ score: 100, pin: undefined })
  })

  it('of quarantine is explained while it lasts', async () => {
    await using open = await openShop()
    const { clock, issuer } = open.mesh
    const untilMs = clock.now() + hourMs
    await open.desk.acceptOrder(await issuer.order('quarantine', 'acme/shop', { untilMs, reason: 'leaked a key' }))
    const explained = await open.desk.trust.explain('acme/shop')
    expect(explained?.ordered).toMatchObject({ quarantine: { reason: 'leaked a key' } })
    expect(explained?.raise[0]).toContain('leaked a key')
    await clock.advance(hourMs)
    expect((await open.desk.trust.explain('acme/shop'))?.ordered).toBeUndefined()
  })
})

describe('node.trust', () => {
  it('pins, puts apart and releases at this node, each durable and on the record', async () => {
    await using open = await openShop()
    const { trust } = open.desk
    expect(await trust.pin('acme/shop', 200, { reason, forMs: hourMs })).toEqual({ kind: 'allow' })
    expect(endOf(await open.buy())).toBe('trust.below-threshold')
    expect(await trust.unpin('acme/shop', { reason })).toEqual({ kind: 'allow' })
    expect(endOf(await open.buy())).toBe('ok')
    expect(await trust.quarantine('acme/shop', { reason, forMs: hourMs })).toEqual({ kind: 'allow' })
    const refused = await open.buy()
    expect(refused).toMatchObject({ code: 'trust.quarantined' })
    expect('retryAfterMs' in refused ? refused.retryAfterMs : 0).toBeGreaterThan(hourMs - 60_000)
    expect(await trust.release('acme/shop', { reason: 'mended' })).toEqual({ kind: 'allow' })
    expect(endOf(await open.buy())).toBe('ok')
    expect(toldOf(open, open.desk).filter((one) => (one as { event: string }).event !== 'tier-changed')).toMatchObject([
      { event: 'pinned', score: 200, reason },
      { event: 'unpinned', reason },
      { event: 'quarantine', cause: 'operator', reason },
      { event: 'released', cause: 'operator', reason: 'mended' },
    ])
  })

  it('refuses names under no anchor, scores that are none, reasons that say nothing, and everything before the start', async () => {
    await using open = await openShop()
    const { trust } = open.desk
    const pin = { reason, forMs: hourMs }
    expect(await trust.pin('zeta/shop', 200, pin)).toMatchObject({ code: 'trust.peer-unknown' })
    expect(await trust.attest('zeta/shop', { forMs: hourMs })).toMatchObject({ code: 'trust.peer-unknown' })
    expect(await trust.explain('zeta/shop')).toBeUndefined()
    expect(await trust.pin('acme/shop', 1001, pin)).toMatchObject({ code: 'trust.entry-refused' })
    expect(await trust.quarantine('acme/shop', { ...pin, reason: '' })).toMatchObject({ code: 'trust.entry-refused' })
    expect(await trust.attest('acme/shop', { forMs: hourMs })).toMatchObject({ code: 'trust.attestation-refused' })
    expect(toldOf(open, open.desk)).toEqual([])
    await open.desk.close()
    await expect(trust.pin('acme/shop', 200, pin)).rejects.toMatchObject({ code: 'mesh.not-started' })
  })

  it('signs its word about another owner, which that mesh takes and weighs', async () => {
    await using open = await openShop()
    const { clock, random, issuer } = open.mesh
    const zeta = localIssuer('zeta', { clock, random })
    const anchors = [issuer.anchor, zeta.anchor]
    await open.mesh.node('zeta/bank', { issuer: zeta, anchors })
    const rater = await open.mesh.node('acme/rater', { anchors })
    const hearer = await open.mesh.node('acme/hearer', {
      anchors,
      serves: [shop],
      serve: (node) => {
        node.serve(shop, soundServes)
      },
    })
    // Whoever says something has to be known for something: the desk of the same name called before.
    const rogue = await createRogue(open.mesh, 'acme/rater')
    const session = await rogue.shake(hearer.instance)
    await rogue.send(hearer.instance, rogue.request(session, 1, shop.look, { body: { item: 'lamp' } }))
    const told = await rater.trust.attest('zeta/bank', { score: 0, forMs: hourMs / 60 })
    if (told.kind === 'deny') throw new Error(told.reason)
    expect(await hearer.trust.take(told.token)).toEqual({ kind: 'allow' })
    expect(await hearer.trust.explain('zeta/bank')).toMatchObject({ score: 490, attestations: [{ score: 0 }] })
    expect(toldOf(open, rater)).toMatchObject([{ event: 'attested', score: 0 }])
    expect(toldOf(open, hearer)).toMatchObject([{ event: 'attestation-taken', rater: 'acme/rater' }])
    expect(await hearer.trust.take(told.token)).toMatchObject({ code: 'trust.attestation-refused' })
  })
})

describe('trust.contagion', () => {
  it('lets blame fall on other names of the owner, a third of it, and on nobody by default', async () => {
    for (const contagion of [true, false]) {
      await using open = await openShop({}, { desk: { trust: { contagion } } })
      await open.mesh.node('acme/kiosk', {
        serves: [shop],
        serve: (node) => {
          node.serve(shop, { ...soundServes, look: () => Promise.reject(new Error('broken')) })
        },
      })
      await open.desk.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/shop' })
      const before = (await open.desk.trust.explain('acme/shop'))?.score ?? 0
      for (let time = 0; time < 4; time++) await open.desk.tryCall(shop.look, { item: 'lamp' }, { to: 'acme/kiosk' })
      const [shopView, kiosk] = await Promise.all(
        (['acme/shop', 'acme/kiosk'] as const).map((name) => open.desk.trust.explain(name)),
      )
      const blame = contagion ? Math.round(0.3 * (500 - (kiosk?.score ?? 500))) : 0
      expect(kiosk?.score).toBeLessThan(480)
      expect(shopView?.score).toBe(before - blame)
    }
  })
})
