import { createLocalIssuer, createNatsAccount, generateInstanceKeys, type LocalIssuer } from '@parley/identity'
import { createNode, defineContract, type AppendedRecord, type MeshNode, type NodeOptions } from '@parley/mesh'
import type { RunningNatsServer } from '@parley/nats-server'
import { createSystemClock, systemHash, type Transport } from '@parley/ports'
import { formatInstanceToken, formatMailboxToken, listPermissions } from '@parley/protocol'
import { connectNats, formatStaticConfig } from '@parley/transport-nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { mesh, random, seeds, startOperatorFence, startServer, type Fence } from './fence.ts'

const clock = createSystemClock()
const shop = defineContract('shop', {
  buy: { input: z.object({ item: z.string() }), output: z.object({ receipt: z.string() }), risk: 'reversible' },
})

async function openCounter(options: Omit<NodeOptions, 'name' | 'serves'>): Promise<MeshNode> {
  const node = await createNode({ name: 'acme/shop', serves: [shop], ...options })
  node.serve(shop, { buy: ({ item }) => ({ receipt: item }) })
  await node.start()
  return node
}

async function openDesk(options: Omit<NodeOptions, 'name' | 'calls'> & { readonly name?: string }): Promise<MeshNode> {
  const node = await createNode({ name: 'acme/desk', calls: [shop.buy], ...options })
  await node.start()
  return node
}

describe('nodes behind a fence of an operator', () => {
  let fence: Fence & { readonly facts: Parameters<typeof createNatsAccount>[0] }
  const createIssuer = (alias = 'acme', credentialMs = 60_000): LocalIssuer =>
    createLocalIssuer({
      alias,
      clock,
      random,
      credentialMs,
      natsAccount: createNatsAccount(fence.facts, seeds),
    })
  beforeAll(async () => {
    fence = await startOperatorFence()
  })
  afterAll(async () => {
    await fence.server.stop()
  })

  it('log in with what their issuer gave them, and call each other', async () => {
    const issuer = createIssuer()
    await using counter = await openCounter({ issuer, nats: fence.server.url })
    await using desk = await openDesk({ issuer, nats: fence.server.url })
    expect(await desk.tryCall(shop.buy, { item: 'lamp' })).toMatchObject({ kind: 'ok', output: { receipt: 'lamp' } })
    expect(counter.health().ready).toBe(true)
  })

  it('stream, report on long work, and hear events of contracts', async () => {
    const issuer = createIssuer()
    const cents = z.object({ cents: z.number() })
    const prices = defineContract(
      'prices',
      {
        watch: { input: z.object({}), stream: cents, output: cents, risk: 'read' },
        audit: { input: z.object({}), progress: cents, output: cents, risk: 'read' },
      },
      { events: { changed: { payload: cents } } },
    )
    const { changed } = prices.events
    await using exchange = await createNode({ name: 'acme/shop', serves: [prices], issuer, nats: fence.server.url })
    exchange.serve(prices, {
      async *watch() {
        for (let part = 1; part <= 40; part++) yield { cents: part }
        return { cents: 0 }
      },
      async audit(_, hop) {
        await hop.progress({ cents: 1 })
        return { cents: 2 }
      },
    })
    await exchange.start()
    const calls = [prices.watch, prices.audit]
    const listens = [changed]
    await using desk = await createNode({ name: 'acme/desk', calls, listens, issuer, nats: fence.server.url })
    const heard = Promise.withResolvers<number>()
    desk.on(changed, (payload) => {
      heard.resolve(payload.cents)
    })
    await desk.start()
    const parts: number[] = []
    for await (const part of desk.stream(prices.watch, {})) parts.push(part.cents)
    expect(parts).toEqual(Array.from({ length: 40 }, (_, at) => at + 1))
    const told: number[] = []
    const onProgress = (progress: { readonly cents: number }): void => void told.push(progress.cents)
    expect(await desk.tryCall(prices.audit, {}, { onProgress })).toMatchObject({ kind: 'ok', output: { cents: 2 } })
    expect(told).toEqual([1])
    expect(await exchange.emit(changed, { cents: 7 })).toMatchObject({ kind: 'emitted' })
    expect(await heard.promise).toBe(7)
  })

  it('do not get in with an issuer that has no account of the broker', async () => {
    const issuer = createLocalIssuer({ alias: 'acme', clock, random })
    const desk = await createNode({ name: 'acme/desk', issuer, calls: [shop.buy], nats: fence.server.url })
    await expect(desk.start()).rejects.toMatchObject({ code: 'transport.connect-failed' })
    await desk.close()
  })

  it('go on calling while their tokens lapse and are renewed, without losing the bus', async () => {
    const [acme, brief] = [createIssuer(), createIssuer('brief', 4_000)]
    const anchors = [acme.anchor, brief.anchor]
    const records: AppendedRecord[] = []
    const onRecord = (record: AppendedRecord): void => void records.push(record)
    await using counter = await openCounter({ issuer: acme, anchors, nats: fence.server.url, onRecord })
    await using desk = await openDesk({ name: 'brief/desk', issuer: brief, anchors, nats: fence.server.url, onRecord })
    const untilMs = performance.now() + 4_500
    const kinds: Record<string, number> = {}
    while (performance.now() < untilMs) {
      const outcome = await desk.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/shop' })
      kinds[outcome.kind] = (kinds[outcome.kind] ?? 0) + 1
    }
    expect(Object.keys(kinds)).toEqual(['ok'])
    expect(records.filter(({ kind, event }) => kind === 'lifecycle' && event === 'bus-disconnected')).toEqual([])
    expect(counter.health().ready).toBe(true)
  })

  it('T1: are refused at once when the callee is gone without a word', async () => {
    const issuer = createIssuer()
    const keys = generateInstanceKeys(random)
    const nkey = keys.nkey.nkey
    const { natsUser = '' } = await issuer.issue({
      name: 'acme/shop',
      instance: keys.signer.did,
      serves: [],
      calls: [],
      nkey,
    })
    const transport = await connectNats({ servers: fence.server.url, nkey: keys.nkey.seed, jwt: natsUser })
    const stops: (() => void)[] = []
    const leaving: Transport = {
      ...transport,
      async subscribe(pattern, onDelivery) {
        const stop = await transport.subscribe(pattern, onDelivery)
        stops.push(stop)
        return stop
      },
    }
    const counter = await openCounter({ issuer, keys, transport: leaving })
    await using desk = await openDesk({ issuer, nats: fence.server.url })
    expect(await desk.tryCall(shop.buy, { item: 'lamp' })).toMatchObject({ kind: 'ok' })
    // What a crash does to the broker, but at a moment that the test knows.
    for (const stop of stops) stop()
    await transport.flush()
    await transport.close()
    const started = performance.now()
    expect(await desk.tryCall(shop.buy, { item: 'lamp' }, { deadlineMs: 20_000 })).toMatchObject({
      kind: 'refused',
      code: 'transport.no-listener',
      hop: { sent: false },
    })
    expect(performance.now() - started).toBeLessThan(5_000)
    await counter.close()
  })
})

describe('nodes behind a fence of a list of users', () => {
  let server: RunningNatsServer
  const issuer = createLocalIssuer({ alias: 'acme', clock, random })
  const keys = { shop: generateInstanceKeys(random), desk: generateInstanceKeys(random) }
  beforeAll(async () => {
    server = await startServer(
      formatStaticConfig(
        (['shop', 'desk'] as const).map((name) => ({
          name: `acme/${name}`,
          nkey: keys[name].nkey.nkey,
          permissions: listPermissions('instance', {
            mesh,
            me: formatInstanceToken(keys[name].signer.did),
            agent: formatMailboxToken(systemHash, { owner: issuer.owner, name: `acme/${name}` }),
          }),
        })),
      ),
    )
  })
  afterAll(async () => {
    await server.stop()
  })

  it('log in with keys that were made beforehand, and call each other', async () => {
    await using counter = await openCounter({ issuer, keys: keys.shop, nats: server.url })
    await using desk = await openDesk({ issuer, keys: keys.desk, nats: server.url })
    expect(counter.instance).toBe(keys.shop.signer.did)
    expect(await desk.tryCall(shop.buy, { item: 'lamp' })).toMatchObject({ kind: 'ok', output: { receipt: 'lamp' } })
  })

  it('do not get in with fresh keys', async () => {
    const desk = await createNode({ name: 'acme/desk', issuer, calls: [shop.buy], nats: server.url })
    await expect(desk.start()).rejects.toMatchObject({ code: 'transport.connect-failed' })
    await desk.close()
  })
})
