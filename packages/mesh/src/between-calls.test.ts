import { createManualClock, createSeededRandom, type ManualClock } from '@parley/ports'
import { formatAgentId } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineContract } from './contract.ts'
import { assembleNode } from './create-node.ts'
import { localIssuer, type LocalMesh } from './local-issuer.ts'
import type { AppendedRecord, NodeOptions } from './node-options.ts'
import type { MeshNode } from './node.ts'
import type { NodeParts } from './node-parts.ts'
import type { Outcome } from './outcome.ts'
import { outboundStages } from './pipeline/outbound.ts'

const shop = defineContract('shop', {
  buy: { input: z.object({ item: z.string() }), output: z.object({ receipt: z.string() }), risk: 'reversible' },
})

interface Pair extends AsyncDisposable {
  readonly clock: ManualClock
  readonly issuer: LocalMesh
  readonly desk: MeshNode
  readonly counter: MeshNode
  readonly records: readonly AppendedRecord[]
  /** What the callee's stages work with. */
  parts(): NodeParts
  hellos(): number
  buy(delegation?: readonly string[]): Promise<Outcome>
}

/** Opens a caller and a callee with one session between them, over which a first call went well. */
async function openPair(): Promise<Pair> {
  const clock = createManualClock()
  const random = createSeededRandom(11)
  const issuer = localIssuer('acme', { clock, random })
  const records: AppendedRecord[] = []
  let calleeParts: NodeParts | undefined
  let hellos = 0
  issuer.bus.tap(({ data }) => {
    if (Buffer.from(data).includes('"type":"hello"')) hellos += 1
  })
  const make = (name: string, more: Partial<NodeOptions>, isCallee: boolean): Promise<MeshNode> =>
    assembleNode(
      { name, issuer, clock, random, ...more },
      {
        inbound: (standard) => {
          const [first, ...rest] = standard.envelope
          if (!isCallee || !first) return standard
          const watched = {
            name: first.name,
            run(hop: Parameters<typeof first.run>[0]) {
              calleeParts = hop.parts
              return first.run(hop)
            },
          }
          return { ...standard, envelope: [watched, ...rest] }
        },
        outbound: outboundStages,
      },
    )
  const counter = await make('acme/shop', { serves: [shop], onRecord: (record) => records.push(record) }, true)
  counter.serve(shop, { buy: () => ({ receipt: 'r' }) })
  const desk = await make('acme/desk', { calls: [shop.buy] }, false)
  await Promise.all([counter.start(), desk.start()])
  await clock.advance(50)
  const pair: Pair = {
    clock,
    issuer,
    desk,
    counter,
    records,
    parts: () => {
      if (!calleeParts) throw new Error('nothing came in yet')
      return calleeParts
    },
    hellos: () => hellos,
    async buy(delegation) {
      const outcome = await desk.tryCall(shop.buy, { item: 'lamp' }, delegation ? { delegation } : {})
      await clock.settle()
      return outcome
    },
    async [Symbol.asyncDispose]() {
      const closed = Promise.all([counter.close(), desk.close()])
      await clock.advance(3_000)
      await closed
    },
  }
  expect((await pair.buy()).kind).toBe('ok')
  return pair
}

const closing = {
  file: 'closing.yaml',
  text: [
    'apiVersion: parley/v1',
    'name: closing',
    'default: allow',
    'rules:',
    '  - name: closed-for-today',
    "    when: action == 'shop:buy'",
    '    effect: deny',
    '    reason: the shop is closed',
  ].join('\n'),
}

describe('between two calls of one session', () => {
  it('a policy is reloaded: the next call is decided by it, on either side, and so is the one after it is taken back', async () => {
    await using pair = await openPair()
    pair.counter.reloadPolicy([closing])
    expect(await pair.buy()).toMatchObject({ kind: 'refused', code: 'policy.denied', hop: { sent: true } })
    pair.counter.reloadPolicy([])
    pair.desk.reloadPolicy([closing])
    expect(await pair.buy()).toMatchObject({ kind: 'refused', code: 'policy.denied', hop: { sent: false } })
    pair.desk.reloadPolicy([])
    expect((await pair.buy()).kind).toBe('ok')
    expect(pair.hellos()).toBe(1)
  })

  it('trust is lowered: the next call is decided by it', async () => {
    await using pair = await openPair()
    const { trust, resolve } = pair.parts()
    const peer = resolve('acme/desk')
    if (!peer) throw new Error('the desk is of no anchor')
    const untilMs = pair.clock.now() + 60_000
    expect(trust.pin(formatAgentId(peer), 0, { reason: 'it misbehaves', untilMs }).kind).toBe('allow')
    const refused = await pair.buy()
    expect(refused).toMatchObject({ kind: 'refused', hop: { sent: true } })
    expect(refused.kind === 'refused' ? refused.code : '').toMatch(/^(?:policy|trust)\./)
    await pair.clock.advance(60_001)
    expect((await pair.buy()).kind).toBe('ok')
    expect(pair.hellos()).toBe(1)
  })

  it('a link is revoked: the next call under its chain is refused, one without it is not', async () => {
    await using pair = await openPair()
    const delegation = await pair.issuer.delegate({ to: 'acme/desk', capabilities: ['shop:buy'], forMs: 600_000 })
    expect((await pair.buy(delegation)).kind).toBe('ok')
    const [link = ''] = delegation
    const { jti } = JSON.parse(Buffer.from(link.split('.')[1] ?? '', 'base64url').toString()) as {
      readonly jti: string
    }
    const order = await pair.issuer.order('revoke', jti)
    expect(pair.parts().orders.accept(order, pair.clock.now()).kind).toBe('allow')
    expect(await pair.buy(delegation)).toMatchObject({ kind: 'refused', code: 'identity.revoked' })
    expect((await pair.buy()).kind).toBe('ok')
    expect(pair.hellos()).toBe(1)
  })

  it('the name is revoked: the next call is refused, and so is a new session', async () => {
    await using pair = await openPair()
    const order = await pair.issuer.order('revoke', 'acme/desk')
    expect(pair.parts().orders.accept(order, pair.clock.now()).kind).toBe('allow')
    expect(await pair.buy()).toMatchObject({ kind: 'refused', code: 'identity.revoked' })
    expect(pair.hellos()).toBe(1)
  })
})

describe('reloadPolicy', () => {
  it('keeps what is in force when a document has a mistake, and records both ends', async () => {
    await using pair = await openPair()
    pair.counter.reloadPolicy([closing])
    expect(() => {
      pair.counter.reloadPolicy([{ file: 'broken.yaml', text: 'apiVersion: parley/v1\nname: broken\nrules: 7' }])
    }).toThrow(expect.objectContaining({ code: 'policy.invalid' }))
    expect(await pair.buy()).toMatchObject({ kind: 'refused', code: 'policy.denied' })
    const events = pair.records.filter(({ event }) => String(event).startsWith('policy-'))
    expect(events.map(({ event }) => event)).toEqual(['policy-reloaded', 'policy-kept'])
    expect(events[0]?.['policy']).toBe(events[1]?.['policy'])
    expect(events[0]?.['before']).not.toBe(events[0]?.['policy'])
    expect(events[1]?.['reason']).toContain('broken.yaml')
    const [last] = pair.records.filter(({ kind }) => kind === 'hop').slice(-1)
    expect(last?.['policy']).toBe(events[0]?.['policy'])
  })

  it('is refused by a node that is not started', async () => {
    const clock = createManualClock()
    const issuer = localIssuer('acme', { clock, random: createSeededRandom(1) })
    const node = await assembleNode(
      { name: 'acme/desk', issuer, clock },
      { inbound: (standard) => standard, outbound: outboundStages },
    )
    expect(() => {
      node.reloadPolicy([])
    }).toThrow(expect.objectContaining({ code: 'mesh.not-started' }))
    await node.close()
  })
})
