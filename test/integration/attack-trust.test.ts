import { defineContract, type MeshNode } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRogue } from './rogue.ts'
import { openShop, shop, soundServes, type ShopMesh } from './shop.ts'
import { tapWire } from './wire.ts'

/** What the shop thinks of a peer, as its last hop with it says. */
async function scoreOf(open: ShopMesh, name: string, node: MeshNode = open.counter): Promise<number> {
  const hops = (await open.hopsOf(node)).filter(({ peer, score }) => peer === name && typeof score === 'number')
  return Number(hops.at(-1)?.['score'])
}

const noGold = {
  file: 'no-gold.yaml',
  text: [
    'apiVersion: parley/v1',
    'name: no-gold',
    'default: allow',
    'rules:',
    '  - name: no-gold',
    "    when: direction == 'inbound' && action == 'shop:buy' && body.item == 'gold'",
    '    effect: deny',
  ].join('\n'),
}

describe('the trust in a caller', () => {
  it('does not fall by rules that it cannot know: whoever is behind it could ruin its name', async () => {
    const errand = defineContract('errand', {
      run: { input: z.object({ item: z.string() }), output: z.object({ done: z.boolean() }), risk: 'reversible' },
    })
    await using open = await openShop({}, { counter: { policy: [noGold] } })
    await open.mesh.node('acme/porter', {
      serves: [errand],
      calls: [shop.buy],
      serve: (node) => {
        node.serve(errand, {
          run: async ({ item }, hop) => ({
            done: (await hop.tryCall(shop.buy, { item }, { authority: 'own' })).kind === 'ok',
          }),
        })
      },
    })
    const mallory = await open.mesh.node('acme/mallory', { calls: [errand.run] })
    for (let asked = 0; asked < 10; asked++)
      expect(await mallory.call(errand.run, { item: 'gold' })).toEqual({ done: false })
    expect(await mallory.call(errand.run, { item: 'lamp' })).toEqual({ done: true })
    expect(await scoreOf(open, 'acme/porter')).toBeGreaterThanOrEqual(500)
  })

  it('falls when it asks for what its own credential does not grant', async () => {
    await using open = await openShop()
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['shop:look'] })
    const session = await rogue.shake(open.counter.instance)
    for (let counter = 1; counter <= 5; counter++)
      await rogue.send(open.counter.instance, rogue.request(session, counter, shop.buy, { body: { item: 'x' } }))
    expect(await scoreOf(open, 'acme/rogue')).toBeLessThan(480)
  })

  it('is not moved by what others send in its name, copy, break or leave unfinished', async () => {
    await using open = await openShop()
    await open.buy()
    const before = await scoreOf(open, 'acme/desk')
    const wire = tapWire(open.mesh.bus)
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    await open.buy()
    const { subject, data } = wire.unitOf('request')
    for (let at = 0; at < 64; at++) {
      const broken = data.slice()
      broken[7 + at] = (broken[7 + at] ?? 0) ^ 1
      await rogue.publish(subject, broken)
      await rogue.publish(subject, data)
      await rogue.send(open.counter.instance, { header: { from: open.desk.instance } })
    }
    await open.buy()
    expect(await scoreOf(open, 'acme/desk')).toBeGreaterThanOrEqual(before)
    expect((await open.buy()).kind).toBe('ok')
  })

  it('cannot be washed by a new key, a new session or a restart of the caller', async () => {
    await using open = await openShop()
    for (let life = 0; life < 3; life++) {
      const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['shop:look'] })
      const session = await rogue.shake(open.counter.instance)
      for (let counter = 1; counter <= 2; counter++)
        await rogue.send(open.counter.instance, rogue.request(session, counter, shop.buy, { body: { item: 'x' } }))
    }
    const wider = await createRogue(open.mesh, 'acme/rogue', { calls: ['shop:buy'] })
    const session = await wider.shake(open.counter.instance)
    await wider.send(open.counter.instance, wider.request(session, 1, shop.buy, { body: { item: 'x' } }))
    expect(wider.last().body).toMatchObject({ outcome: { kind: 'refused', code: 'trust.below-threshold' } })
  })
})

describe('the trust in a callee', () => {
  it('is not moved by a caller that gives up, nor by an answer that never came', async () => {
    const ends: (() => void)[] = []
    await using open = await openShop({
      ...soundServes,
      buy: async () => {
        await new Promise<void>((resolve) => ends.push(resolve))
        return { receipt: 'r' }
      },
    })
    for (let call = 0; call < 4; call++) {
      const controller = new AbortController()
      const outcome = open.desk.tryCall(shop.buy, { item: 'x' }, { signal: controller.signal })
      await open.mesh.clock.settle()
      controller.abort()
      await open.mesh.clock.advance(250)
      expect((await outcome).kind).toBe('unknown')
    }
    expect(await scoreOf(open, 'acme/shop', open.desk)).toBe(500)
    for (const end of ends) end()
  })
})
