import { defineContract, localIssuer, type MeshNode } from '@parley/mesh'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const shop = defineContract('shop', {
  look: { input: z.object({}), output: z.object({ by: z.string() }), risk: 'read' },
})

/** A mesh of two owners, `acme` and `budget`, which accept each other. */
function openTwoOwners(): {
  readonly mesh: TestMesh
  sells(name: string, by: string, ready?: () => Promise<void>): Promise<MeshNode>
  desk(): Promise<MeshNode>
} {
  const mesh = createTestMesh()
  const { clock, random, issuer: acme } = mesh
  const budget = localIssuer('budget', { clock, random })
  const anchors = [acme.anchor, budget.anchor]
  return {
    mesh,
    sells: (name, by, ready = async () => undefined) =>
      mesh.node(name, {
        issuer: name.startsWith('budget/') ? budget : acme,
        anchors,
        serves: [shop],
        serve: (node) => {
          node.serve(shop, {
            look: async () => {
              await ready()
              return { by }
            },
          })
        },
      }),
    desk: () => mesh.node('acme/desk', { anchors, calls: [shop.look] }),
  }
}

async function askTimes(
  desk: MeshNode,
  times: number,
  options: { readonly among?: readonly string[] },
): Promise<string[]> {
  const told: string[] = []
  for (let call = 0; call < times; call++) {
    const outcome = await desk.tryCall(shop.look, {}, options)
    told.push(outcome.kind === 'ok' ? outcome.output.by : `${outcome.kind} ${'code' in outcome ? outcome.code : ''}`)
  }
  return told
}

describe('the choice of an instance', () => {
  it('considers no other owner unless it is told to', async () => {
    const { mesh, sells, desk } = openTwoOwners()
    await using _ = mesh
    await sells('budget/shop', 'budget')
    const node = await desk()
    const alone = node.tryCall(shop.look, {})
    await mesh.clock.advance(1_000)
    expect(await alone).toMatchObject({ kind: 'refused', code: 'mesh.no-provider' })
    expect(await askTimes(node, 1, { among: ['budget'] })).toEqual(['budget'])
    await sells('acme/shop', 'acme')
    expect(new Set(await askTimes(node, 20, {}))).toEqual(new Set(['acme']))
    expect(new Set(await askTimes(node, 40, { among: ['budget', 'acme'] }))).toEqual(new Set(['acme', 'budget']))
  })

  it('refuses an alias that no anchor has, nobody at all, and two ways of choosing', async () => {
    const { mesh, sells, desk } = openTwoOwners()
    await using _ = mesh
    await sells('acme/shop', 'acme')
    const node = await desk()
    expect(await node.tryCall(shop.look, {}, { among: ['acme', 'globex'] })).toMatchObject({
      kind: 'refused',
      code: 'identity.owner-unknown',
    })
    expect(await node.tryCall(shop.look, {}, { among: ['acme'], to: 'acme/shop' })).toMatchObject({ kind: 'refused' })
    const nobody = node.tryCall(shop.look, {}, { among: [] })
    await mesh.clock.advance(1_000)
    expect(await nobody).toMatchObject({ kind: 'refused', code: 'mesh.no-provider' })
  })

  it('spreads calls over instances, and sends more where fewer are in flight', async () => {
    const { mesh, sells, desk } = openTwoOwners()
    await using _ = mesh
    const held = Promise.withResolvers<void>()
    await sells('acme/shop', 'stuck', () => held.promise)
    await sells('acme/shop', 'one')
    await sells('acme/shop', 'two')
    const node = await desk()
    const served: string[] = []
    const running: Promise<unknown>[] = []
    for (let call = 0; call < 60; call++) {
      running.push(
        node.tryCall(shop.look, {}, { deadlineMs: 60_000 }).then((outcome) => {
          if (outcome.kind === 'ok') served.push(outcome.output.by)
        }),
      )
      await mesh.clock.settle()
    }
    const before = new Map<string, number>()
    for (const by of served) before.set(by, (before.get(by) ?? 0) + 1)
    held.resolve()
    await mesh.clock.settle()
    await Promise.all(running)
    const stuck = served.filter((by) => by === 'stuck').length
    expect(before.get('one')).toBeGreaterThan(15)
    expect(before.get('two')).toBeGreaterThan(15)
    expect(stuck).toBeLessThan(10)
    expect(served).toHaveLength(60)
  })
})
