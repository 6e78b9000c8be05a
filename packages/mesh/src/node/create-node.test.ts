import { createManualClock, type Store, type Transport } from '@parley/ports'
import { openSqliteStore } from '@parley/store-sqlite'
import { describe, expect, it } from 'vitest'
import { defineContract } from '../contract/contract.ts'
import { createNode } from './create-node.ts'
import { isHop, openPair, shop } from './pair.fixture.ts'
import type { Pipelines } from './pipelines.ts'
import { localIssuer } from './local-issuer.ts'
import type { AppendedRecord } from './node-options.ts'
import type { InboundPipeline } from '../pipeline/inbound.ts'
import { outboundStages } from '../pipeline/outbound.ts'
import type { Stage } from '../pipeline/stage.ts'

const secret = 'a message of a broken stage'

const broken = (name: string, isAsync: boolean): { readonly name: string; run(): never | Promise<never> } => ({
  name,
  run: () => {
    const error = new Error(secret)
    if (isAsync) return Promise.reject(error)
    throw error
  },
})

/** Replaces the stage of a route at a place. */
const breakRoute =
  (type: 'request' | 'hello' | 'ready', at: number, isAsync: boolean): Pipelines['inbound'] =>
  (standard) => ({
    ...standard,
    routes: {
      ...standard.routes,
      [type]: (standard.routes[type] ?? []).map((stage, index) => (index === at ? broken(stage.name, isAsync) : stage)),
    },
  })

const requestStages = [
  'session',
  'replay',
  'credential',
  'orders',
  'mailbox',
  'delegation',
  'trust',
  'unseal',
  'body',
  'arguments',
  'policy',
  'admit',
  'allowance',
  'approval',
  'deliver',
]

describe('assembleNode', () => {
  it.each(outboundStages.map(({ name }, at) => [name, at] as const))(
    'refuses a call whose outbound stage %s breaks, and records it once',
    async (name, at) => {
      for (const isAsync of [true, false]) {
        await using pair = await openPair({
          outbound: outboundStages.map((stage, index) => (index === at ? broken(stage.name, isAsync) : stage)),
        })
        const outcome = await pair.buy()
        expect(outcome).toMatchObject({
          kind: 'refused',
          code: 'hop.stage-failed',
          hop: { sent: false, refusedBy: name },
        })
        expect(pair.records.desk.filter(isHop)).toMatchObject([{ code: 'hop.stage-failed', stage: name }])
        expect(JSON.stringify([outcome, pair.records])).not.toContain(secret)
        expect(pair.served()).toBe(0)
      }
    },
  )

  it('says unknown where a stage breaks after the request left', async () => {
    const afterSend: Stage<Parameters<(typeof outboundStages)[number]['run']>[0]> = broken('after', true)
    await using pair = await openPair({ outbound: [...outboundStages, afterSend] })
    expect(await pair.buy()).toMatchObject({ kind: 'unknown', code: 'hop.stage-failed', hop: { sent: true } })
    expect(pair.served()).toBe(1)
  })

  it.each(requestStages.map((name, at) => [name, at] as const))(
    'refuses a request whose inbound stage %s breaks, and records it once',
    async (name, at) => {
      await using pair = await openPair({ inbound: breakRoute('request', at, at % 2 === 0) })
      const outcome = await pair.buy()
      expect(pair.served()).toBe(0)
      expect(outcome.kind).toBe(name === 'replay' ? 'unknown' : 'refused')
      expect(pair.records.counter.filter(isHop)).toMatchObject([
        { outcome: 'refused', code: 'hop.stage-failed', stage: name },
      ])
      expect(pair.records.desk.filter(isHop)).toHaveLength(1)
      expect(JSON.stringify([outcome, pair.records])).not.toContain(secret)
    },
  )

  it.each(['frame', 'sender-limits', 'proof', 'header', 'addressed'])(
    'delivers and answers nothing when the stage %s breaks',
    async (name) => {
      const breakIt = <Context>(stages: readonly Stage<Context>[]): readonly Stage<Context>[] =>
        stages.map((stage) => (stage.name === name ? broken(name, false) : stage))
      await using pair = await openPair({
        inbound: (standard) => ({ ...standard, frame: breakIt(standard.frame), envelope: breakIt(standard.envelope) }),
      })
      expect((await pair.buy()).kind).toBe('refused')
      expect(pair.served()).toBe(0)
    },
  )

  it.each(['hello', 'ready'] as const)('opens no session when the stage of a %s breaks', async (type) => {
    await using pair = await openPair({ inbound: breakRoute(type, 0, false) })
    expect((await pair.buy()).kind).toBe('refused')
    expect(pair.served()).toBe(0)
  })

  it('neither delivers nor answers a type of envelope that has no route', async () => {
    await using pair = await openPair({
      inbound: (standard): InboundPipeline => ({
        ...standard,
        routes: { ...standard.routes, request: undefined } as never,
      }),
    })
    expect((await pair.buy()).kind).toBe('unknown')
    expect(pair.served()).toBe(0)
    expect(pair.records.counter.filter(isHop)).toMatchObject([{ code: 'iatp.header-invalid' }])
  })

  it('is not believed by the callee about what its own credential grants', async () => {
    const withoutPolicy = outboundStages.filter(({ name }) => name !== 'policy')
    await using pair = await openPair({ outbound: withoutPolicy, deskCalls: false })
    expect(await pair.buy()).toMatchObject({ kind: 'refused', code: 'policy.denied', hop: { sent: true } })
    expect(pair.served()).toBe(0)
    expect(pair.records.counter.filter(isHop)).toMatchObject([{ stage: 'policy', document: 'parley:credentials-only' }])
  })

  it('refuses itself what its own credential does not grant', async () => {
    await using pair = await openPair({ deskCalls: false })
    expect(await pair.buy()).toMatchObject({ kind: 'refused', code: 'policy.denied', hop: { sent: false } })
  })
})

describe('createNode', () => {
  it('lists every problem of its options at once', async () => {
    const issuer = { issue: () => Promise.reject(new Error('never asked')) }
    const made = createNode({
      name: 'No Name',
      mesh: 'A B',
      issuer,
      heartbeatMs: 1,
      maxServing: 0,
      serves: [shop, shop],
    })
    const error: unknown = await made.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'mesh.config-invalid' })
    const { problems } = (error as { readonly details: { readonly problems: readonly string[] } }).details
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'name',
      'mesh',
      'heartbeatMs',
      'maxServing',
      'nats',
      'anchors',
      'serves',
    ])
  })

  it('refuses more owners or capabilities than its own card could tell of, and is seen with that many', async () => {
    const acme = localIssuer('acme')
    const others = Array.from({ length: 1_024 }, (_, at) => localIssuer(`o${String(at)}`).anchor)
    const operations = Array.from({ length: 1_001 }, (_, at) => [`op${String(at)}`, shop.buy] as const)
    const wide = defineContract('wide', Object.fromEntries(operations))
    const made = createNode({ name: 'acme/shop', issuer: acme, anchors: [acme.anchor, ...others], serves: [wide] })
    await expect(made).rejects.toThrow(/anchors: 1024 owners at most\n.*serves: 1000 capabilities at most/)
    const anchors = [acme.anchor, ...others.slice(1)]
    await using counter = await createNode({ name: 'acme/shop', issuer: acme, anchors, serves: [shop] })
    await using desk = await createNode({ name: 'acme/desk', issuer: acme, anchors, calls: [shop.buy] })
    counter.serve(shop, { buy: () => ({ receipt: 'r' }) })
    await Promise.all([counter.start(), desk.start()])
    expect(await desk.call(shop.buy, { item: 'lamp' })).toEqual({ receipt: 'r' })
  })

  it('does not start while nothing serves what it announces, and serves nothing it did not announce', async () => {
    const issuer = localIssuer('acme')
    await using node = await createNode({ name: 'acme/shop', issuer, serves: [shop] })
    await expect(node.start()).rejects.toMatchObject({ code: 'mesh.config-invalid' })
    await using other = await createNode({ name: 'acme/other', issuer })
    expect(() => {
      other.serve(shop, { buy: () => ({ receipt: 'r' }) })
    }).toThrow(expect.objectContaining({ code: 'mesh.config-invalid' }))
  })

  it('takes no capability that another program adds after the start', async () => {
    const issuer = localIssuer('acme')
    await using node = await createNode({ name: 'acme/shop', issuer, serves: [shop] })
    node.serve(shop, { buy: () => ({ receipt: 'r' }) })
    await node.start()
    expect(() => {
      node.serve(shop, { buy: () => ({ receipt: 'other' }) })
    }).toThrow(expect.objectContaining({ code: 'mesh.config-invalid' }))
  })

  it('is ready between start and close', async () => {
    const node = await createNode({ name: 'acme/shop', issuer: localIssuer('acme') })
    expect(node.health()).toMatchObject({ live: true, ready: false })
    await node.start()
    expect(node.health()).toMatchObject({ live: true, ready: true, reasons: [] })
    await node.close()
    await node.close()
    expect(node.health()).toMatchObject({ live: false, ready: false })
    await expect(node.start()).resolves.toBeUndefined()
  })

  it('ends its bus and its store although the log cannot take its last record, and says so', async () => {
    const { kind, keyValue, journal, close } = await openSqliteStore({ path: ':memory:' })
    let isFull = false
    const ended: string[] = []
    const store: Store = {
      kind,
      keyValue,
      journal: {
        ...journal,
        append: (...given) => (isFull ? Promise.reject(new Error('the disk is full')) : journal.append(...given)),
      },
      close: () => (ended.push('store'), close()),
    }
    const issuer = localIssuer('acme')
    const transport = issuer.connect()
    const node = await createNode({ name: 'acme/shop', issuer, store, transport })
    await node.start()
    isFull = true
    await expect(node.close()).rejects.toThrow('could not be written')
    expect([transport.status(), ...ended]).toEqual(['closed', 'store'])
  })

  it('says why it did not start, not what could not be ended then', async () => {
    const issuer = localIssuer('acme')
    const bus = issuer.connect()
    const transport: Transport = {
      ...bus,
      maxPayloadBytes: bus.maxPayloadBytes,
      subscribe: () => Promise.reject(new Error('no subscription')),
      close: () => Promise.reject(new Error('not closed')),
    }
    await using node = await createNode({ name: 'acme/shop', issuer, transport })
    await expect(node.start()).rejects.toThrow('no subscription')
  })

  it('drains once: whoever asks waits for what is being served', async () => {
    const clock = createManualClock()
    const issuer = localIssuer('acme', { clock })
    const served = Promise.withResolvers<{ receipt: string }>()
    await using counter = await createNode({ name: 'acme/shop', issuer, clock, serves: [shop] })
    await using desk = await createNode({ name: 'acme/desk', issuer, clock, calls: [shop.buy] })
    counter.serve(shop, { buy: () => served.promise })
    await Promise.all([counter.start(), desk.start()])
    const call = desk.tryCall(shop.buy, { item: 'lamp' })
    await clock.advance(50)
    const drained: string[] = []
    const first = counter.drain().then(() => drained.push('first'))
    const second = counter.drain().then(() => drained.push('second'))
    await clock.advance(50)
    expect(drained).toEqual([])
    served.resolve({ receipt: 'r' })
    await clock.advance(50)
    await Promise.all([first, second])
    expect((await call).kind).toBe('ok')
    const closed = Promise.all([counter.close(), desk.close()])
    await clock.advance(3_000)
    await closed
  })

  it('records what a package above tells it, and refuses to before the start', async () => {
    const seen: AppendedRecord[] = []
    await using node = await createNode({
      name: 'acme/shop',
      issuer: localIssuer('acme'),
      onRecord: (record) => seen.push(record),
    })
    expect(() => node.record('saga', { event: 'started' })).toThrow(
      expect.objectContaining({ code: 'mesh.not-started' }),
    )
    await node.start()
    const seq = node.record('saga', { event: 'started' })
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen.find((record) => record.seq === seq)).toMatchObject({ kind: 'saga', event: 'started' })
  })
})
