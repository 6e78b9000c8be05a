import type { Outcome } from '@parley/mesh'
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

  it('ends a call at once whenever it comes: before, within or after the handshake', async () => {
    const ends = new Set<string>()
    for (let turns = 0; turns < 16; turns++) {
      await using open = await openShop({ buy: () => new Promise(() => undefined) })
      const order = await open.mesh.issuer.order('revoke', 'acme/shop')
      let outcome: Outcome | undefined
      void open.buy().then((told) => {
        outcome = told
      })
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
      await open.desk.acceptOrder(order)
      await open.mesh.clock.settle()
      expect(outcome, `after ${String(turns)} turns`).toMatchObject({ code: 'identity.revoked' })
      ends.add(outcome?.kind ?? 'none')
    }
    expect(ends).toEqual(new Set(['refused', 'unknown']))
  })
})
