import { defineContract, type AppendedRecord, type Happened, type MeshNode } from '@parley/mesh'
import { createTestMesh, type TestMesh, type TestNodeOptions } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRogue, type Rogue } from './rogue.ts'
import { readHeaders, tapWire } from './wire.ts'

const prices = defineContract(
  'prices',
  { quote: { input: z.object({}), output: z.object({ cents: z.number() }), risk: 'read' } },
  { events: { changed: { payload: z.object({ cents: z.number().int() }) } } },
)
const { changed } = prices.events

interface Market extends AsyncDisposable {
  readonly mesh: TestMesh
  readonly exchange: MeshNode
  readonly desk: MeshNode
  readonly heard: { readonly cents: number; readonly happened: Happened }[]
  eventsOf(node: MeshNode): readonly AppendedRecord[]
}

async function openMarket(more: {
  readonly exchange?: TestNodeOptions
  readonly desk?: TestNodeOptions
  readonly listener?: () => void
}): Promise<Market> {
  const mesh = createTestMesh()
  const heard: Market['heard'] = []
  const exchange = await mesh.node('acme/exchange', {
    serves: [prices],
    serve: (node) => {
      node.serve(prices, { quote: () => ({ cents: 1 }) })
    },
    ...more.exchange,
  })
  const desk = await mesh.node('acme/desk', {
    listens: [changed],
    serve: (node) => {
      node.on(changed, ({ cents }, happened) => {
        heard.push({ cents, happened })
        more.listener?.()
      })
    },
    ...more.desk,
  })
  return {
    mesh,
    exchange,
    desk,
    heard,
    eventsOf: (node) => mesh.recordsOf(node).filter(({ kind }) => kind === 'event'),
    [Symbol.asyncDispose]: () => mesh.close(),
  }
}

/** Emits by hand: a sound event but for what `header` replaces. */
function emitBy(rogue: Rogue, header: Readonly<Record<string, unknown>> = {}, body: unknown = { cents: 7 }) {
  const traceparent = `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01`
  return rogue.emit(changed.topic, body, {
    capability: changed.capability,
    contract: changed.hash,
    traceparent,
    ...header,
  })
}

/** The codes that the next summary of rejected frames tells. */
async function countedBy({ mesh, desk }: Market): Promise<readonly unknown[]> {
  await mesh.clock.advance(1_001)
  return mesh
    .recordsOf(desk)
    .filter(({ kind }) => kind === 'rejected')
    .flatMap(({ codes }) => codes)
}

describe('an event', () => {
  it('reaches every listener with its verified sender, and is recorded on both sides', async () => {
    await using market = await openMarket({})
    const wire = tapWire(market.mesh.bus)
    const told = await market.exchange.emit(changed, { cents: 5 }, { onBehalfOf: 'ann', labels: ['pii'] })
    await market.mesh.clock.settle()
    expect(told).toMatchObject({ kind: 'emitted' })
    expect(wire.headers()).toMatchObject([{ type: 'event', to: 'pricesEchanged', capability: 'prices:changed' }])
    expect(market.heard).toMatchObject([
      {
        cents: 5,
        happened: {
          id: told.id,
          trace: told.trace,
          capability: 'prices:changed',
          from: { name: 'acme/exchange', instance: market.exchange.instance, kind: 'agent' },
          onBehalfOf: 'ann',
          labels: ['pii'],
        },
      },
    ])
    const leaf = expect.any(String) as string
    expect(market.eventsOf(market.exchange)).toMatchObject([
      { side: 'emitter', outcome: 'emitted', hop: told.id, leaf, document: 'parley:credentials-only' },
    ])
    expect(market.eventsOf(market.desk)).toMatchObject([
      { side: 'listener', outcome: 'heard', hop: told.id, peer: 'acme/exchange', leaf },
    ])
    expect(market.eventsOf(market.desk)[0]?.['leaf']).toBe(market.eventsOf(market.exchange)[0]?.['leaf'])
  })

  it('is heard in the order of its sender', async () => {
    await using market = await openMarket({})
    const all = Array.from({ length: 100 }, (_, cents) => cents)
    await Promise.all(all.map((cents) => market.exchange.emit(changed, { cents })))
    await market.mesh.clock.settle()
    expect(market.heard.map(({ cents }) => cents)).toEqual(all)
  })

  it('of a burst takes no more than one place where its listener waits for nothing, also one that had to wait itself', async () => {
    await using market = await openMarket({ desk: { maxServing: 1 } })
    const all = Array.from({ length: 200 }, (_, cents) => cents)
    await Promise.all(all.map((cents) => market.exchange.emit(changed, { cents })))
    await market.mesh.clock.settle()
    expect(market.heard.map(({ cents }) => cents)).toEqual(all)
    market.mesh.disconnect(market.desk)
    // A node that comes back hears of orders before anything else.
    const back = market.mesh.reconnect(market.desk)
    await Promise.all([back, ...all.map((cents) => market.exchange.emit(changed, { cents }))])
    await market.mesh.clock.settle()
    expect(market.heard.slice(200).map(({ cents }) => cents)).toEqual(all)
  })

  it('shares a signature with what else its sender tells the topic in one turn', async () => {
    await using market = await openMarket({})
    const wire = tapWire(market.mesh.bus)
    const all = Array.from({ length: 128 }, (_, cents) => cents)
    await Promise.all(all.map((cents) => market.exchange.emit(changed, { cents })))
    await market.mesh.clock.settle()
    expect(market.heard).toHaveLength(128)
    const frames = wire.units.map(readHeaders).filter(([first]) => first?.type === 'event')
    expect(frames.flat()).toHaveLength(128)
    expect(frames.length).toBeLessThanOrEqual(3)
  })

  it('that a handler tells carries trace, labels and onBehalfOf of the request that it serves', async () => {
    await using market = await openMarket({
      exchange: {
        serve: (node) => {
          node.serve(prices, {
            quote: async (_, hop) => {
              await hop.emit(changed, { cents: 7 }, { labels: ['eu-only'] })
              return { cents: 7 }
            },
          })
        },
      },
    })
    const buyer = await market.mesh.node('acme/buyer', { calls: [prices.quote] })
    const outcome = await buyer.tryCall(prices.quote, {}, { labels: ['pii'], onBehalfOf: 'ann' })
    await market.mesh.clock.settle()
    expect(outcome.kind).toBe('ok')
    expect(market.heard).toMatchObject([
      { cents: 7, happened: { trace: outcome.hop.trace, labels: ['pii', 'eu-only'], onBehalfOf: 'ann' } },
    ])
  })

  it('is heard once, however often it is copied', async () => {
    await using market = await openMarket({})
    const wire = tapWire(market.mesh.bus)
    await market.exchange.emit(changed, { cents: 5 })
    await market.mesh.clock.settle()
    const { subject, data } = wire.unitOf('event')
    const transport = market.mesh.bus.connect()
    for (let copy = 0; copy < 3; copy++) transport.publish(subject, data)
    await market.mesh.clock.settle()
    expect(market.heard).toHaveLength(1)
    expect(market.eventsOf(market.desk)).toHaveLength(1)
    expect(await countedBy(market)).toEqual(['iatp.replayed=3'])
  })

  it('that was issued before its listener started is not heard by it', async () => {
    await using market = await openMarket({})
    const wire = tapWire(market.mesh.bus)
    await market.exchange.emit(changed, { cents: 5 })
    const { subject, data } = wire.unitOf('event')
    await market.mesh.clock.advance(1)
    const late: number[] = []
    const sibling = await market.mesh.node('acme/desk', {
      listens: [changed],
      serve: (node) => {
        node.on(changed, ({ cents }) => void late.push(cents))
      },
    })
    market.mesh.bus.connect().publish(subject, data)
    await market.mesh.clock.settle()
    expect(late).toEqual([])
    await market.exchange.emit(changed, { cents: 6 })
    await market.mesh.clock.settle()
    expect(late).toEqual([6])
    expect(market.eventsOf(sibling)).toHaveLength(1)
  })

  it('is neither sent nor heard without the right to it', async () => {
    await using market = await openMarket({})
    const refused = await market.desk.emit(changed, { cents: 5 })
    expect(refused).toMatchObject({ kind: 'refused', code: 'policy.denied' })
    await market.mesh.clock.settle()
    expect(market.eventsOf(market.desk)).toMatchObject([{ side: 'emitter', outcome: 'refused' }])
    const rogue = await createRogue(market.mesh, 'acme/rogue', { calls: ['prices:changed'], serves: ['shop:buy'] })
    await emitBy(rogue)
    expect(market.heard).toEqual([])
    expect(market.eventsOf(market.desk).slice(1)).toMatchObject([
      { side: 'listener', outcome: 'refused', code: 'policy.denied', stage: 'policy', peer: 'acme/rogue' },
    ])
  })

  it('passes the policy of both sides, by its name', async () => {
    const deny = (direction: string): TestNodeOptions => ({
      policy: [
        {
          file: 'quiet.yaml',
          text: `apiVersion: parley/v1\nname: quiet\ndefault: allow\nrules:\n  - name: none\n    when: action == 'prices:changed' && direction == '${direction}' && body.cents > 10\n    effect: deny\n`,
        },
      ],
    })
    await using strict = await openMarket({ exchange: deny('outbound') })
    expect(await strict.exchange.emit(changed, { cents: 11 })).toMatchObject({ code: 'policy.denied' })
    expect(await strict.exchange.emit(changed, { cents: 10 })).toMatchObject({ kind: 'emitted' })
    await strict.mesh.clock.settle()
    await using deaf = await openMarket({ desk: deny('inbound') })
    await deaf.exchange.emit(changed, { cents: 11 })
    await deaf.exchange.emit(changed, { cents: 10 })
    await deaf.mesh.clock.settle()
    expect([strict.heard, deaf.heard].map((heard) => heard.map(({ cents }) => cents))).toEqual([[10], [10]])
  })

  it('forged, moved, of another contract, or with a payload that does not fit is not heard', async () => {
    await using market = await openMarket({})
    const rogue = await createRogue(market.mesh, 'acme/rogue', { serves: ['prices:changed'] })
    const other = await createRogue(market.mesh, 'acme/other', { serves: ['prices:changed'] })
    await emitBy(rogue, { credential: other.issued.credential, statement: other.issued.statement })
    await emitBy(rogue, { credential: undefined, statement: undefined })
    await emitBy(rogue, { to: 'pricesEopened' })
    await emitBy(rogue, { capability: 'prices:quote' })
    await emitBy(rogue, { contract: 'A'.repeat(43) })
    await emitBy(rogue, { from: market.exchange.instance })
    await emitBy(rogue, { traceparent: undefined })
    expect(market.eventsOf(market.desk)).toEqual([])
    await emitBy(rogue, {}, { cents: 'much' })
    expect(market.eventsOf(market.desk)).toMatchObject([{ outcome: 'refused', code: 'contract.input-invalid' }])
    expect(market.heard).toEqual([])
    const counted = (await countedBy(market)).join(' ')
    for (const code of ['iatp.misaddressed=3', 'contract.incompatible=1', 'iatp.header-invalid=1', 'identity.'])
      expect(counted).toContain(code)
    await emitBy(rogue)
    expect(market.heard).toHaveLength(1)
  })

  it('whose listener throws is recorded, and nobody is told why', async () => {
    await using market = await openMarket({
      listener: () => {
        throw new Error('a secret of the listener')
      },
    })
    const wire = tapWire(market.mesh.bus)
    await market.exchange.emit(changed, { cents: 5 })
    await market.mesh.clock.settle()
    expect(market.eventsOf(market.desk)).toMatchObject([{ outcome: 'refused', code: 'contract.handler-failed' }])
    expect(JSON.stringify(market.mesh.recordsOf(market.desk))).not.toContain('secret')
    expect(wire.headers().map(({ type }) => type)).toEqual(['event'])
  })

  it('is not sent by a node that is not started, nor with a payload that does not fit', async () => {
    await using market = await openMarket({})
    expect(await market.exchange.emit(changed, { cents: 0.5 })).toMatchObject({ code: 'contract.input-invalid' })
    await market.mesh.close()
    expect(await market.exchange.emit(changed, { cents: 5 })).toMatchObject({ code: 'mesh.not-started' })
  })

  it('is listened to only as the options say, once, and before the start', async () => {
    await using market = await openMarket({})
    const listen = (node: MeshNode): void => {
      node.on(changed, () => undefined)
    }
    const error = expect.objectContaining({ code: 'mesh.config-invalid' }) as Error
    expect(() => {
      listen(market.desk)
    }).toThrow(error)
    await expect(market.mesh.node('acme/deaf', { serve: listen })).rejects.toThrow(error)
    const twice = (node: MeshNode): void => {
      listen(node)
      listen(node)
    }
    await expect(market.mesh.node('acme/twice', { listens: [changed], serve: twice })).rejects.toThrow(error)
  })
})
