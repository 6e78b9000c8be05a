import { formatInboxPattern } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { openShop, shop } from './shop.ts'
import { tapWire } from './wire.ts'

/** A handler that runs until it is told, and says when it began. */
function createSlowBuy(): {
  readonly buy: () => Promise<{ receipt: string }>
  readonly finish: () => void
  readonly signals: AbortSignal[]
  readonly serve: (input: unknown, hop: { readonly signal: AbortSignal }) => Promise<{ receipt: string }>
} {
  const end = Promise.withResolvers<{ receipt: string }>()
  const signals: AbortSignal[] = []
  return {
    buy: () => end.promise,
    finish: () => {
      end.resolve({ receipt: 'late' })
    },
    signals,
    serve: (_, hop) => {
      signals.push(hop.signal)
      return end.promise
    },
  }
}

describe('sessions', () => {
  it('are opened once and used again', async () => {
    await using open = await openShop()
    const wire = tapWire(open.mesh.bus)
    await open.buy()
    expect(wire.headers().map(({ type }) => type)).toEqual(['hello', 'welcome', 'ready', 'request', 'reply'])
    await open.buy()
    expect(
      wire
        .headers()
        .slice(5)
        .map(({ type }) => type),
    ).toEqual(['request', 'reply'])
  })

  it('are opened once for calls at the same time', async () => {
    await using open = await openShop()
    const wire = tapWire(open.mesh.bus)
    const outcomes = await Promise.all([open.buy('a'), open.buy('b'), open.buy('c')])
    expect(outcomes.map(({ kind }) => kind)).toEqual(['ok', 'ok', 'ok'])
    expect(wire.headers().filter(({ type }) => type === 'hello')).toHaveLength(1)
  })

  it('are opened anew after the own credential was renewed, and expire with none of them noticed', async () => {
    await using open = await openShop()
    await open.buy()
    await open.mesh.clock.advance(16 * 60_000)
    expect(open.desk.health()).toMatchObject({ live: true, ready: true, reasons: [] })
    expect((await open.buy()).kind).toBe('ok')
  })
})

describe('deadlines', () => {
  it('end a call unknown at its deadline, abort the handler, and record both sides once', async () => {
    const slow = createSlowBuy()
    await using open = await openShop({ buy: slow.serve })
    const call = open.desk.tryCall(shop.buy, { item: 'lamp' }, { deadlineMs: 300 })
    await open.mesh.clock.advance(299)
    expect(slow.signals[0]?.aborted).toBe(false)
    await open.mesh.clock.advance(1)
    expect(await call).toMatchObject({ kind: 'unknown', code: 'deadline.exceeded', hop: { sent: true } })
    expect(slow.signals[0]?.aborted).toBe(true)
    slow.finish()
    expect(await open.hopsOf(open.counter)).toMatchObject([{ outcome: 'unknown', code: 'deadline.exceeded' }])
    expect(await open.hopsOf(open.desk)).toMatchObject([{ outcome: 'unknown' }])
  })

  it('refuse a call without time before it is sent', async () => {
    await using open = await openShop()
    for (const deadlineMs of [0, -1, Number.NaN]) {
      const outcome = await open.desk.tryCall(shop.buy, { item: 'lamp' }, { deadlineMs })
      expect(outcome).toMatchObject({ kind: 'refused', code: 'deadline.exceeded', hop: { sent: false } })
    }
  })

  it('leave a call unknown whose reply was lost', async () => {
    let calls = 0
    await using open = await openShop({
      buy: () => {
        calls += 1
        return { receipt: 'r' }
      },
    })
    await open.buy()
    open.mesh.bus.inject({ kind: 'drop', when: ({ subject }) => subject.endsWith(open.counter.instance.slice(8)) })
    const call = open.desk.tryCall(shop.buy, { item: 'lamp' }, { deadlineMs: 300 })
    await open.mesh.clock.advance(300)
    expect(await call).toMatchObject({ kind: 'unknown', code: 'deadline.exceeded' })
    expect(calls).toBe(2)
  })
})

describe('cancelling', () => {
  it('ends the call unknown and aborts the handler, which then holds up nothing', async () => {
    const slow = createSlowBuy()
    const controller = new AbortController()
    await using open = await openShop({ buy: slow.serve })
    const call = open.desk.tryCall(shop.buy, { item: 'lamp' }, { signal: controller.signal })
    await open.mesh.clock.settle()
    controller.abort()
    await open.mesh.clock.advance(250)
    expect(await call).toMatchObject({ kind: 'unknown', code: 'hop.cancelled', stopped: false, hop: { sent: true } })
    await open.mesh.clock.settle()
    expect(slow.signals[0]?.aborted).toBe(true)
    expect(await open.hopsOf(open.counter)).toMatchObject([{ outcome: 'unknown', code: 'hop.cancelled' }])
  })

  it('refuses a call that was cancelled before it was sent', async () => {
    await using open = await openShop()
    const early = await open.desk.tryCall(shop.buy, { item: 'lamp' }, { signal: AbortSignal.abort() })
    expect(early).toMatchObject({ kind: 'refused', code: 'hop.cancelled', hop: { sent: false } })
    const controller = new AbortController()
    const during = open.desk.tryCall(shop.buy, { item: 'lamp' }, { signal: controller.signal })
    controller.abort()
    expect(await during).toMatchObject({ kind: 'refused', code: 'hop.cancelled', hop: { sent: false } })
    expect(await open.hopsOf(open.counter)).toEqual([])
  })
})

describe('losing the bus', () => {
  it('refuses calls as unsent and retryable, and works again after', async () => {
    await using open = await openShop()
    await open.buy()
    open.mesh.disconnect(open.desk)
    expect(await open.buy()).toMatchObject({
      kind: 'refused',
      code: 'transport.disconnected',
      retryAfterMs: 1_000,
      hop: { sent: false },
    })
    expect(open.desk.health()).toMatchObject({ live: true, ready: false, reasons: ['the bus is disconnected'] })
    await open.mesh.reconnect(open.desk)
    expect((await open.buy()).kind).toBe('ok')
    expect((await open.hopsOf(open.desk)).map(({ outcome }) => outcome)).toEqual(['ok', 'refused', 'ok'])
  })

  it('leaves unknown what was in flight at the callee', async () => {
    const slow = createSlowBuy()
    await using open = await openShop({ buy: slow.serve })
    const call = open.desk.tryCall(shop.buy, { item: 'lamp' }, { deadlineMs: 500 })
    await open.mesh.clock.settle()
    open.mesh.disconnect(open.counter)
    slow.finish()
    await open.mesh.clock.advance(500)
    expect(await call).toMatchObject({ kind: 'unknown', code: 'deadline.exceeded' })
    expect(await open.hopsOf(open.counter)).toMatchObject([{ outcome: 'ok' }])
  })
})

describe('drain', () => {
  it('finishes what is in flight and is asked for nothing more', async () => {
    const slow = createSlowBuy()
    await using open = await openShop({ buy: slow.serve })
    const call = open.buy()
    await open.mesh.clock.advance(1)
    const drained = open.counter.drain()
    await open.mesh.clock.settle()
    const refused = open.buy()
    await open.mesh.clock.advance(1_000)
    expect(await refused).toMatchObject({ kind: 'refused', code: 'mesh.no-provider', hop: { sent: false } })
    slow.finish()
    await drained
    expect((await call).kind).toBe('ok')
  })

  it('refuses a call that comes all the same', async () => {
    await using open = await openShop()
    await open.buy()
    open.mesh.bus.inject({ kind: 'drop', when: ({ subject }) => subject.includes('.event.') })
    await open.counter.drain()
    expect(await open.buy()).toMatchObject({ kind: 'refused', code: 'mesh.draining', hop: { sent: true } })
  })
})

describe('close', () => {
  it('records what was in flight on both sides before the logs end', async () => {
    const slow = createSlowBuy()
    await using open = await openShop({ buy: slow.serve })
    const call = open.buy()
    await open.mesh.clock.settle()
    const closed = Promise.all([open.counter.close(), open.desk.close()])
    await open.mesh.clock.advance(3_000)
    await closed
    expect((await call).kind).toBe('unknown')
    expect(await open.hopsOf(open.counter)).toMatchObject([{ outcome: 'unknown', code: 'hop.cancelled' }])
    expect(await open.hopsOf(open.desk)).toHaveLength(1)
    expect(open.mesh.recordsOf(open.counter).at(-1)).toMatchObject({ kind: 'lifecycle', event: 'closed' })
  })

  it('ends a call that still looks for somebody to ask', async () => {
    await using open = await openShop()
    const call = open.desk.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/nobody' })
    await open.mesh.clock.settle()
    const closed = open.desk.close()
    await open.mesh.clock.advance(3_000)
    await closed
    expect(await call).toMatchObject({ kind: 'refused', hop: { sent: false } })
    expect(await open.hopsOf(open.desk)).toHaveLength(1)
  })

  it('says goodbye, so that nobody asks any more', async () => {
    await using open = await openShop()
    await open.counter.close()
    await open.mesh.clock.settle()
    expect(open.desk.providers('shop:buy')).toEqual([])
  })
})

describe('discovery', () => {
  it('forgets an instance that went without a word after three heartbeats', async () => {
    await using open = await openShop()
    expect(open.desk.providers('shop:buy')).toEqual(['acme/shop'])
    open.mesh.disconnect(open.counter)
    await open.mesh.clock.advance(8_100)
    expect(open.desk.providers('shop:buy')).toEqual([])
  })

  it('is refused at once, as not sent, where the bus says that nobody listens', async () => {
    await using open = await openShop()
    await open.buy()
    open.mesh.disconnect(open.counter)
    expect(await open.buy()).toMatchObject({
      kind: 'refused',
      code: 'transport.no-listener',
      retryAfterMs: 1_000,
      hop: { sent: false },
    })
    await open.mesh.reconnect(open.counter)
    expect(await open.buy()).toMatchObject({ kind: 'ok' })
  })

  it('refuses a handshake at once with an instance that nobody hears', async () => {
    await using open = await openShop()
    open.mesh.disconnect(open.counter)
    expect(await open.buy()).toMatchObject({ kind: 'refused', code: 'transport.no-listener', hop: { sent: false } })
  })

  it('asks another instance of a name that did not answer', async () => {
    await using open = await openShop()
    await open.buy()
    const second = await open.mesh.node('acme/shop', {
      serves: [shop],
      serve: (node) => {
        node.serve(shop, {
          look: () => ({ cents: 1 }),
          buy: () => ({ receipt: 'second' }),
          burn: () => ({}),
          wipe: () => ({}),
        })
      },
    })
    const inbox = formatInboxPattern('main', open.counter.instance).slice(0, -1)
    open.mesh.bus.inject({ kind: 'drop', when: ({ subject }) => subject.startsWith(inbox) })
    const lost = open.desk.tryCall(shop.buy, { item: 'lamp' }, { deadlineMs: 200 })
    await open.mesh.clock.advance(200)
    expect((await lost).kind).toBe('unknown')
    expect(await open.buy()).toMatchObject({ kind: 'ok', output: { receipt: 'second' } })
    expect((await open.hopsOf(second)).length).toBe(1)
  })
})
