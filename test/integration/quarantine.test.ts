import { describe, expect, it } from 'vitest'
import { endOf } from './agency.ts'
import { createRogue } from './rogue.ts'
import { openShop, shop } from './shop.ts'

const quarantined = 'identity.quarantined'
const minute = 60_000

describe('an order of quarantine', () => {
  it('is in force at the next hop of a live session and ends by itself, without a new handshake', async () => {
    await using open = await openShop()
    const { clock, issuer } = open.mesh
    expect(endOf(await open.buy())).toBe('ok')
    await open.counter.acceptOrder(await issuer.order('quarantine', 'acme/shop', { untilMs: clock.now() + minute }))
    await clock.settle()
    const refused = await open.buy()
    expect(refused).toMatchObject({ kind: 'refused', code: quarantined, hop: { sent: false } })
    expect('retryAfterMs' in refused ? refused.retryAfterMs : undefined).toBeGreaterThan(minute - 5_000)
    await clock.advance(minute)
    expect(endOf(await open.buy())).toBe('ok')
    const told = open.mesh.recordsOf(open.desk).find(({ kind }) => kind === 'order')
    expect(told).toMatchObject({ event: 'quarantine', sequence: 1, subject: 'acme/shop' })
  })

  it('against a caller is held by the callee, whatever the caller does; lookup and undo pass', async () => {
    await using open = await openShop()
    const { clock, issuer } = open.mesh
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['shop:buy'] })
    const { instance } = open.counter
    const session = await rogue.shake(instance)
    let counter = 0
    const ask = async (more: Record<string, unknown> = {}): Promise<unknown> => {
      counter += 1
      await rogue.send(
        instance,
        rogue.request(session, counter, shop.buy, { header: { to: instance, ...more }, body: { item: 'lamp' } }),
      )
      await clock.settle()
      const { outcome } = rogue.last().body as { readonly outcome: { readonly kind: string; readonly code?: string } }
      return outcome.code ?? outcome.kind
    }
    expect(await ask()).toBe('ok')
    await open.counter.acceptOrder(await issuer.order('quarantine', rogue.did, { untilMs: clock.now() + minute }))
    expect(await ask()).toBe(quarantined)
    const saga = { id: 's', step: 'buy', attempt: 1, epoch: 1, key: 'k', expiresAtMs: clock.now() + minute }
    expect(await ask({ saga: { ...saga, phase: 'do' } })).toBe(quarantined)
    for (const phase of ['lookup', 'undo']) expect(await ask({ saga: { ...saga, phase } })).not.toBe(quarantined)
    await open.counter.acceptOrder(await issuer.order('quarantine', rogue.did, { untilMs: clock.now() }))
    expect(await ask()).toBe('ok')
  })

  it('against one of two providers sends calls to the other', async () => {
    await using open = await openShop()
    const { clock, issuer } = open.mesh
    const served: string[] = []
    await open.mesh.node('acme/kiosk', {
      serves: [shop],
      serve: (node) => {
        node.serve(shop, {
          look: () => ({ cents: 1 }),
          burn: () => ({}),
          wipe: () => ({}),
          buy: ({ item }) => {
            served.push(item)
            return { receipt: item }
          },
        })
      },
    })
    await open.desk.acceptOrder(await issuer.order('quarantine', 'acme/shop', { untilMs: clock.now() + minute }))
    const items = ['a', 'b', 'c', 'd', 'e', 'f']
    for (const item of items) expect(endOf(await open.buy(item))).toBe('ok')
    expect(served).toEqual(items)
  })

  it('against an agent in the middle of a chain stops what is done under the chain', async () => {
    await using open = await openShop()
    const { clock, issuer } = open.mesh
    const delegation = await issuer.delegate({ to: 'acme/desk', capabilities: ['shop:buy'], forMs: 10 * minute })
    const call = async (links?: readonly string[]): Promise<string> =>
      endOf(await open.desk.tryCall(shop.buy, { item: 'lamp' }, links ? { delegation: links } : {}))
    expect(await call(delegation)).toBe('ok')
    await open.counter.acceptOrder(await issuer.order('quarantine', 'acme/desk', { untilMs: clock.now() + minute }))
    await clock.settle()
    expect(await call(delegation)).toBe(quarantined)
    await clock.advance(minute)
    expect(await call(delegation)).toBe('ok')
  })
})
