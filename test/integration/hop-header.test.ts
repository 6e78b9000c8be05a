import { hashChain } from '@parley/identity'
import type { BodyStore } from '@parley/ports'
import { defineContract, type Hop, type MeshNode } from '@parley/mesh'
import { limits, type AgentName } from '@parley/protocol'
import { createMemoryBodyStore } from '@parley/transport-memory'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRogue } from './rogue.ts'
import { openShop, shop, type ShopMesh } from './shop.ts'
import { tapWire } from './wire.ts'

const hourMs = 3_600_000
const relay = defineContract('relay', {
  pass: { input: z.object({}), output: z.object({}), risk: 'reversible' },
})

type Seen = Pick<Hop, 'labels' | 'onBehalfOf' | 'pathIndex'>

/** desk → relay → shop: the relay buys on, with what `onward` adds; both say what they saw. */
async function openRelay(onward: Parameters<Hop['tryCall']>[2] = {}) {
  const seen: Seen[] = []
  const look = ({ labels, onBehalfOf, pathIndex }: Seen): void => {
    seen.push({ labels, pathIndex, ...(onBehalfOf === undefined ? {} : { onBehalfOf }) })
  }
  const open = await openShop({
    buy: (_, hop) => {
      look(hop)
      return { receipt: 'r' }
    },
  })
  const outcomes: string[] = []
  await open.mesh.node('acme/relay', {
    serves: [relay],
    calls: [shop.buy],
    serve: (node) => {
      node.serve(relay, {
        pass: async (_, hop) => {
          look(hop)
          const outcome = await hop.tryCall(shop.buy, { item: 'lamp' }, { ...onward, authority: 'own' })
          outcomes.push('code' in outcome ? outcome.code : outcome.kind)
          return {}
        },
      })
    },
  })
  const caller = await open.mesh.node('acme/caller', { calls: [relay.pass] })
  return { open, seen, outcomes, caller }
}

describe('what a handler calls on with', () => {
  it('keeps the labels of its own request and may add to them, never take away', async () => {
    const { open, seen, caller } = await openRelay({ labels: ['untrusted-content', 'pii'] })
    await using _ = open
    await caller.call(relay.pass, {}, { labels: ['pii', 'acme-secret'] })
    expect(seen.map(({ labels }) => labels.toSorted())).toEqual([
      ['acme-secret', 'pii'],
      ['acme-secret', 'pii', 'untrusted-content'],
    ])
  })

  it('names for whom it is done from the root on, and counts the hops', async () => {
    const { open, seen, caller } = await openRelay({ onBehalfOf: 'somebody-else' })
    await using _ = open
    await caller.call(relay.pass, {}, { onBehalfOf: 'tenant-7' })
    expect(seen.map(({ onBehalfOf, pathIndex }) => [onBehalfOf, pathIndex])).toEqual([
      ['tenant-7', 0],
      ['tenant-7', 1],
    ])
  })

  it('is not sent when a header cannot hold its labels, since a callee would drop it without an answer', async () => {
    const { open, outcomes, caller } = await openRelay({
      labels: Array.from({ length: 32 }, (_, at) => `l${String(at)}`),
    })
    await using _ = open
    await caller.call(relay.pass, {}, { labels: ['pii'] })
    expect(outcomes).toEqual(['iatp.header-invalid'])
    expect((await open.hopsOf(open.counter)).length).toBe(0)
  })

  it('ends after 32 hops: agents that call each other in a circle do not do so for ever', async () => {
    await using mesh = createTestMesh()
    let hops = 0
    let last: string | undefined
    const open = (name: AgentName, to: AgentName): Promise<MeshNode> =>
      mesh.node(name, {
        serves: [relay],
        calls: [relay.pass],
        serve: (node) => {
          node.serve(relay, {
            pass: async (_, hop) => {
              hops += 1
              const outcome = await hop.tryCall(relay.pass, {}, { to, authority: 'own' })
              if ('code' in outcome && !outcome.hop.sent) last = outcome.code
              return {}
            },
          })
        },
      })
    const ping = await open('acme/ping', 'acme/pong')
    await open('acme/pong', 'acme/ping')
    await ping.call(relay.pass, {}, { to: 'acme/pong' })
    expect([hops, last]).toEqual([limits.pathHops, 'iatp.path-too-long'])
  })
})

const careful = {
  file: 'careful.yaml',
  text: [
    'apiVersion: parley/v1',
    'name: careful',
    'default: allow',
    'rules:',
    '  - name: no-personal-data',
    '    when: direction == "inbound" && "pii" in labels',
    '    effect: deny',
    '  - name: not-for-mallory',
    '    when: direction == "inbound" && onBehalfOf == "mallory"',
    '    effect: deny',
    '  - name: not-from-afar',
    '    when: direction == "inbound" && hop.index > 0',
    '    effect: deny',
  ].join('\n'),
}

describe('what a header says beside its request', () => {
  it.each([
    ['labels', { labels: ['pii'] }, 'no-personal-data'],
    ['for whom it is done', { onBehalfOf: 'mallory' }, 'not-for-mallory'],
    ['how many hops came before', { pathIndex: 1 }, 'not-from-afar'],
  ])('is asked by the policy of the callee: %s', async (_, options, rule) => {
    await using open = await openShop({}, { counter: { policy: [careful] } })
    const plain = { labels: ['eu-only'], onBehalfOf: 'ann' }
    expect(await open.desk.tryCall(shop.buy, { item: 'lamp' }, plain)).toMatchObject({ kind: 'ok' })
    expect(await open.desk.tryCall(shop.buy, { item: 'lamp' }, { ...plain, ...options })).toMatchObject({
      kind: 'refused',
      code: 'policy.denied',
      hop: { sent: true },
    })
    const [denied] = (await open.hopsOf(open.counter)).slice(-1)
    expect(denied).toMatchObject({ rule: `careful#${rule}` })
  })
})

describe('labels that a chain binds', () => {
  const chainFor = (
    mesh: TestMesh,
    to: 'acme/desk' | 'acme/rogue',
    labels: readonly string[],
  ): Promise<readonly string[]> => mesh.issuer.delegate({ to, capabilities: ['shop:buy'], labels, forMs: hourMs })

  it('must all be on the request', async () => {
    await using open = await openShop()
    const delegation = await chainFor(open.mesh, 'acme/desk', ['pii', 'eu-only'])
    const buy = (labels: readonly string[]) => open.desk.tryCall(shop.buy, { item: 'x' }, { delegation, labels })
    expect((await buy(['eu-only', 'pii', 'more'])).kind).toBe('ok')
    expect(await buy(['eu-only'])).toMatchObject({ kind: 'refused', code: 'delegation.label-removed' })
    expect(await buy([])).toMatchObject({ kind: 'refused', code: 'delegation.label-removed' })
  })

  it('cannot be taken off by a peer that signs the request itself', async () => {
    let bought = 0
    await using open = await openShop({
      buy: () => {
        bought += 1
        return { receipt: 'r' }
      },
    })
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const links = await chainFor(open.mesh, 'acme/rogue', ['pii'])
    const session = await rogue.shake(open.counter.instance)
    const send = async (counter: number, labels: readonly string[]): Promise<unknown> => {
      const header = { chain: hashChain(links), links, labels }
      await rogue.send(
        open.counter.instance,
        rogue.request(session, counter, shop.buy, { header, body: { item: 'x' } }),
      )
      return rogue.last().body
    }
    expect(await send(1, ['other'])).toMatchObject({ outcome: { kind: 'refused', code: 'delegation.label-removed' } })
    expect(bought).toBe(0)
    expect(await send(2, ['pii'])).toMatchObject({ outcome: { kind: 'ok' } })
  })
})

describe('a body by reference', () => {
  const big = 'x'.repeat(limits.bodyBytes + 1)

  /** A shop and a desk that share a body store, which `corrupt` may stand in front of at the shop. */
  async function openShelf(
    corrupt: (store: BodyStore) => BodyStore = (store) => store,
    more: { readonly maxReferencedBytes?: number } = {},
  ): Promise<ShopMesh & { readonly puts: readonly number[] }> {
    const puts: number[] = []
    let store: BodyStore | undefined
    const bodies: BodyStore = {
      put: (body, untilMs) => {
        puts.push(body.length)
        return shelf().put(body, untilMs)
      },
      get: (where, maxBytes) => shelf().get(where, maxBytes),
    }
    const shelf = (): BodyStore => (store ??= createMemoryBodyStore({ clock: open.mesh.clock }))
    const open = await openShop(
      { buy: ({ item }) => ({ receipt: item.startsWith('echo') ? item : String(item.length) }) },
      { counter: { bodies: corrupt(bodies), ...more }, desk: { bodies } },
    )
    return Object.assign(open, { puts })
  }

  it('carries what is too large for an envelope, on the way there and back', async () => {
    await using open = await openShelf()
    const wire = tapWire(open.mesh.bus)
    const item = `echo${big}`
    expect(await open.buy(item)).toMatchObject({ kind: 'ok', output: { receipt: item } })
    expect(open.puts).toHaveLength(2)
    const referring = wire.headers().filter(({ bodyRef }) => bodyRef)
    expect(referring.map(({ type }) => type)).toEqual(['request', 'reply'])
    expect(referring[0]?.bodyRef?.bytes).toBe(JSON.stringify({ item }).length)
    expect(Math.max(...wire.units.map(({ data }) => data.length))).toBeLessThan(16_384)
  })

  it('is left alone for what fits', async () => {
    await using open = await openShelf()
    expect((await open.buy('lamp')).kind).toBe('ok')
    expect(open.puts).toEqual([])
  })

  it.each([
    ['was changed', async (body: Uint8Array | undefined) => body?.with(9, 0x79), 'iatp.body-mismatch'],
    ['is shorter', async (body: Uint8Array | undefined) => body?.subarray(1), 'iatp.body-mismatch'],
    ['is gone', async () => undefined, 'iatp.body-unavailable'],
    ['cannot be read', () => Promise.reject(new Error('shelf down')), 'iatp.body-unavailable'],
  ] as const)('is refused when it %s, and nothing is delivered', async (_, change, code) => {
    await using open = await openShelf((store) => ({
      ...store,
      get: async (where, maxBytes) => change(await store.get(where, maxBytes)),
    }))
    expect(await open.buy(big)).toMatchObject({ kind: 'refused', code, hop: { sent: true } })
    expect((await open.hopsOf(open.counter))[0]).toMatchObject({ outcome: 'refused', stage: 'body' })
  })

  it('is refused above what the callee fetches, by a node without a store, and beside another body', async () => {
    await using open = await openShelf(undefined, { maxReferencedBytes: 1_000 })
    expect(await open.buy(big)).toMatchObject({ kind: 'refused', code: 'iatp.frame-oversize' })
    await using plain = await openShop()
    expect(await plain.buy(big)).toMatchObject({ kind: 'refused', code: 'iatp.frame-oversize', hop: { sent: false } })
    const rogue = await createRogue(plain.mesh, 'acme/rogue')
    const bodyRef = { hash: 'A'.repeat(43), bytes: 5, where: 'file:///etc/hostname' }
    const send = async (counter: number, body: unknown): Promise<unknown> => {
      const session = await rogue.shake(plain.counter.instance)
      await rogue.send(
        plain.counter.instance,
        rogue.request(session, counter, shop.look, { header: { bodyRef }, body }),
      )
      return rogue.last().body
    }
    expect(await send(1, new Uint8Array())).toMatchObject({ outcome: { code: 'iatp.body-unavailable' } })
    expect(await send(2, { item: 'x' })).toMatchObject({ outcome: { code: 'iatp.body-mismatch' } })
  })

  it('leaves a call unknown at once whose answer the store does not take', async () => {
    await using open = await openShelf((store) => ({ ...store, put: () => Promise.reject(new Error('shelf full')) }))
    expect(await open.buy(`echo${big}`)).toMatchObject({ kind: 'unknown', code: 'iatp.body-unavailable' })
  })
})
