import { connect as connectClient, type NatsConnection } from '@nats-io/transport-node'
import { createLocalIssuer, createNatsAccount } from '@parley/identity'
import { createNode, defineContract, type MeshNode } from '@parley/mesh'
import { createSystemClock } from '@parley/ports'
import { formatInstanceToken } from '@parley/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { mesh, random, seeds, startOperatorFence, toClientLogin, type Fence } from './fence.ts'

const clock = createSystemClock()
const shop = defineContract('shop', {
  look: { input: z.object({ fail: z.boolean() }), output: z.object({}), risk: 'read' },
})
/** What ADR-32 requires of every answer, and of the answer to each question. */
const token = z.string().regex(/^[a-zA-Z0-9_-]+$/)
const metadata = z.record(z.string(), z.string())
const head = { name: token, id: z.string().min(1), version: z.string().regex(/^\d+\.\d+\.\d+$/), metadata }
const endpoint = { name: token, subject: z.string().min(1), queue_group: z.string() }
const answerSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('io.nats.micro.v1.ping_response'), ...head }),
  z.strictObject({
    type: z.literal('io.nats.micro.v1.info_response'),
    ...head,
    description: z.string(),
    endpoints: z.array(z.strictObject({ ...endpoint, metadata })),
  }),
  z.strictObject({
    type: z.literal('io.nats.micro.v1.stats_response'),
    ...head,
    started: z.iso.datetime(),
    endpoints: z.array(
      z.strictObject({
        ...endpoint,
        num_requests: z.int(),
        num_errors: z.int(),
        last_error: z.string(),
        processing_time: z.int(),
        average_processing_time: z.int(),
      }),
    ),
  }),
])

describe('the NATS services API of a node', () => {
  let fence: Fence & { readonly facts: Parameters<typeof createNatsAccount>[0] }
  let counter: MeshNode
  let desk: MeshNode
  let client: NatsConnection
  beforeAll(async () => {
    fence = await startOperatorFence()
    const natsAccount = createNatsAccount(fence.facts, seeds)
    const issuer = createLocalIssuer({ alias: 'acme', clock, random, natsAccount })
    counter = await createNode({ name: 'acme/shop', serves: [shop], issuer, nats: fence.server.url })
    counter.serve(shop, {
      look: ({ fail }) => {
        if (fail) throw new Error('broken')
        return {}
      },
    })
    desk = await createNode({ name: 'acme/desk', calls: [shop.look], issuer, nats: fence.server.url })
    await Promise.all([counter.start(), desk.start()])
    client = await connectClient({ servers: fence.server.url, ...toClientLogin(fence.monitor) })
  })
  afterAll(async () => {
    await client.close()
    await Promise.all([counter.close(), desk.close()])
    await fence.server.stop()
  })

  /** Asks with a reply subject, and resolves with what came until everybody had the time to answer. */
  async function ask(subject: string, reply: string, count: number): Promise<z.infer<typeof answerSchema>[]> {
    const answers: z.infer<typeof answerSchema>[] = []
    const done = Promise.withResolvers<void>()
    const subscription = client.subscribe('_INBOX.ops.>', {
      callback: (_error, message) => {
        answers.push(answerSchema.parse(message.json()))
        if (answers.length >= count) done.resolve()
      },
    })
    client.publish(subject, new Uint8Array(), { reply })
    if (count > 0) await done.promise
    else for (let round = 0; round < 5; round++) await client.flush()
    subscription.unsubscribe()
    return answers.toSorted((one, other) => one.name.localeCompare(other.name))
  }

  it('answers PING to all, to a name and to one instance', async () => {
    const all = await ask('$SRV.PING', '_INBOX.ops.1', 2)
    expect(all.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'acme-desk io.nats.micro.v1.ping_response',
      'acme-shop io.nats.micro.v1.ping_response',
    ])
    const id = formatInstanceToken(counter.instance)
    for (const subject of ['$SRV.PING.acme-shop', `$SRV.PING.acme-shop.${id}`])
      expect(await ask(subject, '_INBOX.ops.2', 1)).toMatchObject([{ name: 'acme-shop', id }])
  })

  it('tells in INFO what it serves, with the hash of the contract', async () => {
    const [info] = await ask('$SRV.INFO.acme-shop', '_INBOX.ops.1', 1)
    expect(info).toMatchObject({
      type: 'io.nats.micro.v1.info_response',
      description: expect.stringContaining('acme/shop'),
      metadata: { agent: 'acme/shop', mesh, instance: counter.instance },
      endpoints: [
        {
          name: 'shop-look',
          subject: `iatp.1.main.${formatInstanceToken(counter.instance)}.*`,
          queue_group: '',
          metadata: { capability: 'shop:look', contract: shop.look.hash, risk: 'read' },
        },
      ],
    })
  })

  it('counts in STATS what was served and what went wrong', async () => {
    await desk.tryCall(shop.look, { fail: false })
    await desk.tryCall(shop.look, { fail: true })
    const [stats] = await ask('$SRV.STATS.acme-shop', '_INBOX.ops.1', 1)
    if (stats?.type !== 'io.nats.micro.v1.stats_response') throw new Error('these are no statistics')
    const { endpoints, started } = stats
    expect(Date.parse(started)).toBeLessThanOrEqual(Date.now())
    expect(endpoints).toMatchObject([
      { name: 'shop-look', num_requests: 2, num_errors: 1, last_error: 'contract.handler-failed' },
    ])
    expect(endpoints[0]?.processing_time).toBeGreaterThan(0)
  })

  it('T44: answers nowhere but in the operations inbox, whatever reply subject a question brings', async () => {
    const operator = await connectClient({ servers: fence.server.url, ...toClientLogin(fence.operator) })
    const token = formatInstanceToken(counter.instance)
    const traps = [
      `iatp.1.main.${token}.${formatInstanceToken(desk.instance)}`,
      'trap',
      '_INBOX.trap',
      '_INBOX.ops',
      '_INBOX.ops.',
      '_INBOX.ops..a',
      `_INBOX.ops.${'a'.repeat(300)}`,
    ]
    const caught: string[] = []
    const subscription = operator.subscribe('>', {
      callback: (_error, { subject }) => {
        if (traps.includes(subject)) caught.push(subject)
      },
    })
    for (const trap of traps) operator.publish('$SRV.PING.acme-shop', new Uint8Array(), { reply: trap })
    await operator.flush()
    expect(await ask('$SRV.PING.acme-shop', '_INBOX.ops.sound', 1)).toHaveLength(1)
    await operator.flush()
    expect(caught).toEqual([])
    subscription.unsubscribe()
    expect(await desk.tryCall(shop.look, { fail: false })).toMatchObject({ kind: 'ok' })
    await operator.close()
  })
})
