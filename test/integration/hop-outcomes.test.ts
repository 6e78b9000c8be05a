import { CallError, defineContract, type Hop, type LookupAnswer } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openShop, shop, unchecked } from './shop.ts'

const secret = 'password-of-the-till'

describe('tryCall', () => {
  it('ends ok with the output, signed, and recorded once on each side', async () => {
    await using open = await openShop()
    const outcome = await open.buy()
    expect(outcome).toMatchObject({ kind: 'ok', output: { receipt: 'lamp for acme/desk' } })
    expect(outcome.hop.explain()).toBe('allowed by parley:credentials-only; signed; recorded twice')
    const [own, peers] = [await open.hopsOf(open.desk), await open.hopsOf(open.counter)]
    expect([own.length, peers.length]).toEqual([1, 1])
    expect(own[0]).toMatchObject({ side: 'caller', outcome: 'ok', hop: outcome.hop.id, sent: true, peer: 'acme/shop' })
    expect(peers[0]).toMatchObject({ side: 'callee', outcome: 'ok', hop: outcome.hop.id, peer: 'acme/desk' })
    expect(own[0]?.['leaf']).toBe(peers[0]?.['leaf'])
    expect([outcome.hop.record, outcome.hop.peerRecord]).toEqual([own[0]?.seq, peers[0]?.seq])
    expect(own[0]?.['trace']).toBe(peers[0]?.['trace'])
  })

  it('ends declined with the typed details of a declared error', async () => {
    await using open = await openShop({ buy: (_, hop) => hop.decline('sold-out', { left: 2 }) })
    const outcome = await open.desk.tryCall(shop.buy, { item: 'lamp' })
    expect(outcome).toMatchObject({ kind: 'declined', error: { name: 'sold-out', details: { left: 2 } } })
    expect(outcome.kind === 'declined' ? outcome.error.details.left + 1 : 0).toBe(3)
    expect(await open.hopsOf(open.counter)).toMatchObject([{ outcome: 'declined', code: 'sold-out' }])
  })

  it('ends unknown for an error that the contract does not declare, or with other details', async () => {
    const decline = (hop: Hop, name: string, details: unknown): never => hop.decline(name, details) as never
    await using open = await openShop({
      buy: ({ item }, hop) => decline(hop as unknown as Hop, item === 'name' ? 'stolen' : 'sold-out', { left: 'two' }),
    })
    expect(await open.buy('name')).toMatchObject({ kind: 'unknown', code: 'contract.output-invalid' })
    expect(await open.buy('details')).toMatchObject({ kind: 'unknown', code: 'contract.output-invalid' })
  })

  it('never ends declined by the names that every object has', async () => {
    await using open = await openShop({
      buy: ({ item }, hop) => (hop as unknown as Hop).decline(item, {}) as never,
    })
    expect((await open.buy('constructor')).kind).toBe('unknown')
    expect((await open.buy('__proto__')).kind).toBe('unknown')
  })

  it('never takes an output that looks like a declined one for one', async () => {
    await using open = await openShop({
      buy: () => ({ kind: 'declined', error: { name: 'sold-out', details: { left: 1 } } }) as never,
    })
    expect(await open.buy()).toMatchObject({ kind: 'unknown', code: 'contract.output-invalid' })
  })

  it('ends unknown for a throw, and tells nobody its message', async () => {
    const wire: string[] = []
    await using open = await openShop({
      buy: () => {
        throw new Error(secret)
      },
    })
    open.mesh.bus.tap(({ data }) => wire.push(Buffer.from(data).toString('latin1')))
    const outcome = await open.buy()
    expect(outcome).toMatchObject({ kind: 'unknown', code: 'contract.handler-failed' })
    expect(wire.length).toBeGreaterThan(0)
    expect(wire.join('')).not.toContain(secret)
    expect(JSON.stringify([outcome, await open.hopsOf(open.counter), await open.hopsOf(open.desk)])).not.toContain(
      secret,
    )
  })

  it('ends failed for a throw of what only reads', async () => {
    await using open = await openShop({
      look: () => {
        throw new Error(secret)
      },
    })
    const outcome = await open.desk.tryCall(shop.look, { item: 'lamp' })
    expect(outcome).toMatchObject({ kind: 'failed', code: 'contract.handler-failed', retryable: true })
  })

  it('ends failed where the handler says that nothing was done', async () => {
    await using open = await openShop({ buy: (_, hop) => hop.fail({ retryable: true }) })
    expect(await open.buy()).toMatchObject({ kind: 'failed', retryable: true })
  })

  it('ends unknown for an output that does not fit the schema', async () => {
    await using open = await openShop({ buy: () => ({ receipt: 5 }) as never })
    expect(await open.buy()).toMatchObject({ kind: 'unknown', code: 'contract.output-invalid' })
  })

  it('ends refused for an input that does not fit, without calling the handler', async () => {
    let calls = 0
    await using open = await openShop({
      buy: () => {
        calls += 1
        return { receipt: 'r' }
      },
    })
    const refused = { kind: 'refused', code: 'contract.input-invalid' }
    const own = await open.desk.tryCall(shop.buy, { item: 5 } as never)
    expect(own).toMatchObject({ ...refused, reason: expect.stringContaining('item'), hop: { sent: false } })
    expect(own.hop.refusedBy).toBe('input')
    const theirs = await open.desk.tryCall(unchecked(shop.buy), { item: 5 } as never)
    expect(theirs).toMatchObject({ ...refused, hop: { sent: true } })
    expect(calls).toBe(0)
  })

  it('ends refused with the code that the handler chose, and nothing but the code crosses', async () => {
    await using open = await openShop({ buy: (_, hop) => hop.refuse('saga.stale-epoch', { retryAfterMs: 70 }) })
    const outcome = await open.buy()
    expect(outcome).toMatchObject({ kind: 'refused', code: 'saga.stale-epoch', retryAfterMs: 70 })
    expect(outcome.hop.refusedBy).toBeUndefined()
    expect(outcome.hop.explain()).toContain('refused by the callee: saga.stale-epoch')
  })

  it('ends refused where both sides have different contracts of one name', async () => {
    const other = defineContract('shop', {
      buy: { input: z.object({ item: z.number() }), output: z.object({ receipt: z.string() }), risk: 'reversible' },
    })
    await using open = await openShop({}, { desk: { calls: [other.buy] } })
    const outcome = await open.desk.tryCall(other.buy, { item: 1 })
    expect(outcome).toMatchObject({ kind: 'refused', code: 'contract.incompatible' })
  })

  it('ends refused, unsent, for a capability that nobody serves and a name that no anchor covers', async () => {
    await using open = await openShop()
    const missing = open.desk.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/nobody' })
    await open.mesh.clock.advance(1_000)
    expect(await missing).toMatchObject({ kind: 'refused', code: 'mesh.no-provider', hop: { sent: false } })
    const foreign = await open.desk.tryCall(shop.buy, { item: 'lamp' }, { to: 'evil/shop' })
    expect(foreign).toMatchObject({ kind: 'refused', code: 'identity.owner-unknown', hop: { sent: false } })
    expect((await open.hopsOf(open.desk)).map(({ code }) => code)).toEqual([
      'mesh.no-provider',
      'identity.owner-unknown',
    ])
    expect(await open.hopsOf(open.counter)).toEqual([])
  })

  it('ends refused before start and after close', async () => {
    await using open = await openShop()
    await open.desk.close()
    expect(await open.buy()).toMatchObject({ kind: 'refused', code: 'mesh.not-started', hop: { sent: false } })
  })

  it('refuses input that has no JSON form', async () => {
    await using open = await openShop()
    const call = open.desk.tryCall(shop.buy, (() => undefined) as never)
    expect(await call).toMatchObject({ kind: 'refused', code: 'contract.input-invalid', hop: { sent: false } })
    const cyclic: { item: string; self?: unknown } = { item: 'lamp' }
    cyclic.self = cyclic
    const outcome = await open.desk.tryCall(shop.buy, cyclic)
    expect(outcome).toMatchObject({ kind: 'refused', hop: { sent: false } })
    expect(await open.hopsOf(open.desk)).toHaveLength(2)
  })

  it('refuses a body above the limit of the bus before it is sent', async () => {
    await using open = await openShop()
    const outcome = await open.buy('x'.repeat(1_048_576))
    expect(outcome).toMatchObject({ kind: 'refused', code: 'iatp.frame-oversize', hop: { sent: false } })
  })
})

describe('call', () => {
  it('returns the output', async () => {
    await using open = await openShop()
    expect(await open.desk.call(shop.buy, { item: 'lamp' })).toEqual({ receipt: 'lamp for acme/desk' })
  })

  it('throws every other outcome with its kind and code', async () => {
    await using open = await openShop({ buy: (_, hop) => hop.decline('sold-out', { left: 0 }) })
    const error: unknown = await open.desk.call(shop.buy, { item: 'lamp' }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({
      code: 'mesh.call-failed',
      details: { kind: 'declined', code: 'sold-out' },
      outcome: { error: { details: { left: 0 } } },
    })
  })
})

describe('hop', () => {
  it('tells the handler who calls, for whom, and how long they wait', async () => {
    let seen: Hop | undefined
    await using open = await openShop({
      buy: (_, hop) => {
        seen = hop as unknown as Hop
        return { receipt: String(hop.remainingMs()) }
      },
    })
    const outcome = await open.desk.tryCall(
      shop.buy,
      { item: 'lamp' },
      { onBehalfOf: 'ann', labels: ['pii'], deadlineMs: 700 },
    )
    expect(outcome.output).toEqual({ receipt: '700' })
    expect(seen).toMatchObject({
      id: outcome.hop.id,
      trace: outcome.hop.trace,
      capability: 'shop:buy',
      caller: { name: 'acme/desk', owner: open.desk.owner, instance: open.desk.instance, score: 500, tier: 'standard' },
      onBehalfOf: 'ann',
      labels: ['pii'],
    })
  })

  it('carries trace, labels, onBehalfOf and what is left of the time on to the next hop', async () => {
    const till = defineContract('till', {
      charge: { input: z.object({}), output: z.object({ remainingMs: z.number() }), risk: 'reversible' },
    })
    let seen: Hop | undefined
    await using open = await openShop(
      {
        buy: async (_, hop) => ({
          receipt: String((await hop.call(till.charge, {}, { deadlineMs: 60_000, authority: 'own' })).remainingMs),
        }),
      },
      { counter: { calls: [till.charge] } },
    )
    await open.mesh.node('acme/till', {
      serves: [till],
      serve: (node) => {
        node.serve(till, {
          charge: (_, hop) => {
            seen = hop as unknown as Hop
            return { remainingMs: hop.remainingMs() }
          },
        })
      },
    })
    const outcome = await open.desk.tryCall(shop.buy, { item: 'l' }, { labels: ['pii'], deadlineMs: 900 })
    expect(outcome.output).toEqual({ receipt: '900' })
    expect(seen).toMatchObject({ trace: outcome.hop.trace, onBehalfOf: 'acme/desk', labels: ['pii'] })
    expect(seen?.caller.name).toBe('acme/shop')
  })

  it('brings the command of a saga, and serves its undo and lookup', async () => {
    const done: string[] = []
    const answer: LookupAnswer = { found: 'ok', output: { receipt: 'r1' } }
    await using open = await openShop({
      buy: {
        do: (_, hop) => {
          done.push(`do ${hop.saga?.key ?? ''}`)
          return { receipt: 'r1' }
        },
        undo: ({ output }, hop) => {
          done.push(`undo ${hop.saga?.key ?? ''} ${JSON.stringify(output)}`)
        },
        lookup: () => answer,
      },
    })
    const saga = { id: 's1', step: 'buy', attempt: 1, epoch: 1, key: 'k1', expiresAtMs: open.mesh.clock.now() + 60_000 }
    const call = (phase: 'do' | 'undo' | 'lookup', input: unknown) =>
      open.desk.tryCall(shop.buy, input as never, { saga: { ...saga, phase } })
    expect((await call('do', { item: 'lamp' })).kind).toBe('ok')
    expect((await call('undo', { output: { receipt: 'r1' } })).kind).toBe('ok')
    expect(await call('lookup', {})).toMatchObject({ kind: 'ok', output: answer })
    expect(done).toEqual(['do k1', 'undo k1 {"receipt":"r1"}'])
    const noUndo = await open.desk.tryCall(shop.burn, {}, { saga: { ...saga, phase: 'undo' } })
    expect(noUndo).toMatchObject({ kind: 'refused', code: 'saga.command-invalid' })
  })
})
