import type { Delivery } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import type { InboundHop } from '../pipeline/inbound-hop.ts'
import type { Stage } from '../pipeline/stage.ts'
import { isHop, openPair, shop } from './pair.fixture.ts'
import type { Pipelines } from './pipelines.ts'

describe('a node whose callee forgot', () => {
  it('shakes hands again, once, with a callee that forgot the session', async () => {
    let forgets = 1
    const forget: Stage<InboundHop> = {
      name: 'forget',
      run({ parts, header }) {
        if (forgets > 0) parts.sessions.remove(header?.session ?? '')
        forgets -= 1
        return { kind: 'allow' }
      },
    }
    const inbound: Pipelines['inbound'] = (standard) => ({
      ...standard,
      routes: { ...standard.routes, request: [forget, ...(standard.routes.request ?? [])] },
    })
    await using pair = await openPair({ inbound })
    expect((await pair.buy()).kind).toBe('ok')
    expect(pair.served()).toBe(1)
    forgets = 5
    expect(await pair.buy()).toMatchObject({ kind: 'refused', code: 'iatp.session-unknown' })
    expect(pair.records.desk.filter(isHop)).toHaveLength(2)
  })

  it('does a request once although its session made room before a copy came', async () => {
    let end = (): void => undefined
    const look: Stage<InboundHop> = {
      name: 'look',
      run({ parts, header }) {
        end = () => {
          parts.sessions.remove(header?.session ?? '')
        }
        return { kind: 'allow' }
      },
    }
    await using pair = await openPair({
      inbound: (standard) => ({
        ...standard,
        routes: { ...standard.routes, request: [look, ...(standard.routes.request ?? [])] },
      }),
    })
    expect((await pair.buy()).kind).toBe('ok')
    const { bus } = pair.issuer
    const toShop = `${pair.shop.instance.slice('did:key:'.length)}.${pair.desk.instance.slice('did:key:'.length)}`
    const seen: Delivery[] = []
    bus.tap((delivery) => {
      if (delivery.subject.endsWith(toShop)) seen.push(delivery)
    })
    // The reply is on its way for a while, and what comes after it is not.
    let held = 0
    bus.inject({ kind: 'delay', delayMs: 50, when: ({ subject }) => !subject.endsWith(toShop) && ++held === 1 })
    const call = pair.desk.tryCall(shop.buy, { item: 'lamp' }, { deadlineMs: 200 })
    await pair.clock.settle()
    expect([pair.served(), seen.length]).toEqual([2, 1])
    end()
    for (const { subject, data } of seen.slice()) bus.connect().publish(subject, data)
    await pair.clock.advance(200)
    expect((await call).kind).toBe('ok')
    expect(pair.served()).toBe(2)
    expect(pair.records.counter.filter(isHop).at(-1)).toMatchObject({ code: 'iatp.replayed' })
  })

  it('sends a chain whole again to a callee that forgot it', async () => {
    let forgets = 0
    const forget: Stage<InboundHop> = {
      name: 'forget',
      run({ parts, header }) {
        if (forgets > 0) parts.sessions.get(header?.session ?? '')?.chains?.clear()
        forgets -= 1
        return { kind: 'allow' }
      },
    }
    const inbound: Pipelines['inbound'] = (standard) => ({
      ...standard,
      routes: { ...standard.routes, request: [forget, ...(standard.routes.request ?? [])] },
    })
    await using pair = await openPair({ inbound })
    const delegation = await pair.issuer.delegate({ to: 'acme/desk', capabilities: ['shop:buy'], forMs: 60_000 })
    const buy = () => pair.desk.tryCall(shop.buy, { item: 'lamp' }, { delegation })
    expect((await buy()).kind).toBe('ok')
    forgets = 1
    expect((await buy()).kind).toBe('ok')
    await pair.clock.settle()
    expect(pair.records.counter.filter(isHop).map(({ code }) => code)).toEqual([
      undefined,
      'delegation.unknown',
      undefined,
    ])
    expect(pair.served()).toBe(2)
  })
})
