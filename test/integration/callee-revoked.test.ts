import { describe, expect, it } from 'vitest'
import { endOf } from './agency.ts'
import { openShop, shop } from './shop.ts'

describe('an order against a callee', () => {
  it('ends the calls that wait for it at once, as unknown: nobody may say what it did', async () => {
    const ends: (() => void)[] = []
    await using open = await openShop({
      buy: async ({ item }) => {
        await new Promise<void>((resolve) => ends.push(resolve))
        return { receipt: item }
      },
    })
    const calls = [open.buy('lamp'), open.buy('vase')]
    await open.mesh.clock.advance(10)
    expect(ends).toHaveLength(2)
    await open.desk.acceptOrder(await open.mesh.issuer.order('revoke', open.counter.instance))
    for (const end of ends) end()
    // No time passed: they ended with the order, not at their deadline.
    for (const outcome of await Promise.all(calls))
      expect(outcome).toMatchObject({ kind: 'unknown', code: 'identity.revoked', hop: { sent: true } })
    const late = open.desk.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/shop', deadlineMs: 500 })
    await open.mesh.clock.advance(500)
    expect(await late).toMatchObject({ kind: 'refused', hop: { sent: false } })
  })

  it('leaves calls to others alone', async () => {
    let end: (() => void) | undefined
    await using open = await openShop({
      buy: async ({ item }) => {
        await new Promise<void>((resolve) => (end = resolve))
        return { receipt: item }
      },
    })
    const call = open.buy('lamp')
    await open.mesh.clock.advance(10)
    await open.desk.acceptOrder(await open.mesh.issuer.order('revoke', 'acme/elsewhere'))
    end?.()
    await open.mesh.clock.advance(10)
    expect(endOf(await call)).toBe('ok')
  })

  it('refuses a handshake that waits for its welcome: nothing was sent', async () => {
    await using open = await openShop()
    open.mesh.bus.inject({ kind: 'drop' })
    const call = open.buy('lamp')
    await open.mesh.clock.advance(10)
    await open.desk.acceptOrder(await open.mesh.issuer.order('revoke', 'acme/shop'))
    expect(await call).toMatchObject({ kind: 'refused', code: 'identity.revoked', hop: { sent: false } })
  })
})
