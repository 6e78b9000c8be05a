import { defineContract, localIssuer, type MeshNode } from '@parley/mesh'
import { formatEventSubject, formatInstanceToken } from '@parley/protocol'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createStranger } from './stranger.ts'

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

describe('a card', () => {
  it('tells schemas whose hash is that of the contract, and only to who asks', async () => {
    const { mesh, sells, desk } = openTwoOwners()
    await using _ = mesh
    const seller = await sells('acme/shop', 'acme')
    const node = await desk()
    const wire: string[] = []
    mesh.bus.tap(({ subject }) => wire.push(subject))
    const card = await node.card('acme/shop')
    expect(card).toMatchObject({
      agent: { name: 'acme/shop', owner: seller.owner },
      instance: seller.instance,
      capabilities: [
        {
          capability: 'shop:look',
          hash: shop.look.hash,
          risk: 'read',
          undo: false,
          output: { type: 'object', properties: { by: { type: 'string' } } },
        },
      ],
    })
    expect(wire).toEqual([
      formatEventSubject('main', `contracts-of-${formatInstanceToken(seller.instance)}`, node.instance),
      formatEventSubject('main', `contracts-to-${formatInstanceToken(node.instance)}`, seller.instance),
    ])
  })

  it('tells parts, progress and events, with the hashes of their contracts', async () => {
    await using mesh = createTestMesh()
    const cents = z.object({ cents: z.number() })
    const prices = defineContract(
      'prices',
      {
        watch: { input: z.object({}), stream: cents, output: cents, risk: 'read' },
        audit: { input: z.object({}), progress: cents, output: cents, risk: 'read' },
      },
      { events: { changed: { payload: cents, risk: 'reversible' } } },
    )
    await mesh.node('acme/exchange', {
      serves: [prices],
      serve: (node) => {
        node.serve(prices, {
          async *watch() {
            yield { cents: 1 }
            return { cents: 2 }
          },
          audit: () => ({ cents: 3 }),
        })
      },
    })
    const node = await mesh.node('acme/desk', { listens: [prices.events.changed] })
    const schema = { type: 'object', properties: { cents: { type: 'number' } } }
    const card = await node.card('acme/exchange')
    expect(card).toMatchObject({
      capabilities: [
        { capability: 'prices:watch', hash: prices.watch.hash, stream: schema },
        { capability: 'prices:audit', hash: prices.audit.hash, progress: schema },
      ],
      events: [{ event: 'prices:changed', hash: prices.events.changed.hash, risk: 'reversible', payload: schema }],
    })
    expect(card?.capabilities[0]).not.toHaveProperty('progress')
  })

  it('costs its teller the printing of schemas once, however often it is asked', async () => {
    await using mesh = createTestMesh()
    const output = z.object({ by: z.string() })
    let printed = 0
    const counted: typeof output = Object.create(output, {
      '~standard': {
        value: {
          ...output['~standard'],
          jsonSchema: {
            input: output['~standard'].jsonSchema.input,
            output: (options: Parameters<(typeof output)['~standard']['jsonSchema']['output']>[0]) => {
              printed += 1
              return output['~standard'].jsonSchema.output(options)
            },
          },
        },
      },
    }) as typeof output
    const costly = defineContract('costly', { look: { input: z.object({}), output: counted, risk: 'read' } })
    await mesh.node('acme/shop', {
      serves: [costly],
      serve: (node) => {
        node.serve(costly, { look: () => ({ by: 'acme' }) })
      },
    })
    const node = await mesh.node('acme/desk')
    printed = 0
    for (let asked = 0; asked < 5; asked++) expect(await node.card('acme/shop')).toBeDefined()
    expect(printed).toBe(1)
  })

  it('of nobody, of an unknown owner, or of who says nothing is undefined', async () => {
    const { mesh, sells, desk } = openTwoOwners()
    await using _ = mesh
    const seller = await sells('acme/shop', 'acme')
    const node = await desk()
    expect(await node.card('acme/nobody')).toBeUndefined()
    expect(await node.card('globex/shop')).toBeUndefined()
    mesh.disconnect(seller)
    const silent = node.card('acme/shop', 500)
    await mesh.clock.advance(500)
    expect(await silent).toBeUndefined()
  })

  it('is taken from nobody but who was asked', async () => {
    const { mesh, sells, desk } = openTwoOwners()
    await using _ = mesh
    const seller = await sells('acme/shop', 'acme')
    const node = await desk()
    const stranger = createStranger(mesh)
    const forged = (to: string): Promise<Uint8Array> =>
      stranger.sign({ type: 'event', to }, new TextEncoder().encode(JSON.stringify({ capabilities: [] })))
    const topic = `contracts-to-${formatInstanceToken(node.instance)}`
    mesh.disconnect(seller)
    const asked = node.card('acme/shop', 500)
    await mesh.clock.settle()
    const frame = await forged(topic)
    stranger.transport.publish(formatEventSubject('main', topic, stranger.did), frame)
    stranger.transport.publish(formatEventSubject('main', topic, seller.instance), frame)
    await mesh.clock.advance(500)
    expect(await asked).toBeUndefined()
  })

  it('is told at most 32 times a second, whoever asks', async () => {
    const { mesh, sells, desk } = openTwoOwners()
    await using _ = mesh
    await sells('acme/shop', 'acme')
    const node = await desk()
    const asked = Array.from({ length: 40 }, () => node.card('acme/shop', 500))
    let answers = 0
    mesh.bus.tap(({ subject }) => {
      if (subject.includes('.contracts-to-')) answers += 1
    })
    await mesh.clock.settle()
    await mesh.clock.advance(500)
    expect((await Promise.all(asked)).every((card) => card !== undefined)).toBe(true)
    expect(answers).toBeLessThanOrEqual(32)
  })
})

describe('a node that starts', () => {
  it('is told by each of the others alone, and heard by all of them', async () => {
    const { mesh, sells, desk } = openTwoOwners()
    await using _ = mesh
    const sellers = await Promise.all(Array.from({ length: 12 }, (_seller, at) => sells(`acme/s${String(at)}`, 'acme')))
    await mesh.clock.advance(500)
    const wire: string[] = []
    mesh.bus.tap(({ subject }) => wire.push(subject))
    const node = await desk()
    expect(node.providers(shop.look.capability)).toHaveLength(sellers.length)
    const told = `card-to-${formatInstanceToken(node.instance)}`
    expect(wire.filter((subject) => subject.includes('.event.card'))).toEqual([
      formatEventSubject('main', 'card', node.instance),
      ...sellers.map(({ instance }) => formatEventSubject('main', told, instance)),
    ])
  })

  it('is told by one word to all where many start at once', async () => {
    const { mesh, sells } = openTwoOwners()
    await using _ = mesh
    const first = await sells('acme/first', 'acme')
    await mesh.clock.advance(500)
    const wire: string[] = []
    mesh.bus.tap(({ subject }) => wire.push(subject))
    await Promise.all(Array.from({ length: 12 }, (_seller, at) => sells(`acme/s${String(at)}`, 'acme')))
    const ofFirst = wire.filter((subject) => subject.endsWith(formatInstanceToken(first.instance)))
    expect(ofFirst).toEqual([formatEventSubject('main', 'card', first.instance)])
  })
})

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
    const { capability } = shop.look
    expect(node.providers(capability)).toEqual(['acme/shop'])
    expect(node.providers(capability, ['budget', 'acme'])).toEqual(['budget/shop', 'acme/shop'])
    expect(node.providers(capability, ['globex'])).toEqual([])
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
