import type { DocumentLimit } from '@parley/policy'
import { describe, expect, it } from 'vitest'
import { openPair } from '../node/pair.fixture.ts'
import type { InboundHop } from '../pipeline/inbound-hop.ts'
import type { Stage } from '../pipeline/stage.ts'
import { createGrantedRates, type GrantedRates } from './granted-rates.ts'

const limit = (max: number, more: Partial<DocumentLimit> = {}): DocumentLimit => ({
  document: 'house',
  rule: 'paced',
  max,
  perMs: 60_000,
  take: 1,
  ...more,
})

describe('createGrantedRates', () => {
  it('adds up what the tightest limit of each capability lets pass in its busiest minute', () => {
    const rates = createGrantedRates()
    expect(rates.perMinute('did:o acme/desk')).toBeUndefined()
    rates.note('did:o acme/desk', 'shop:buy', [limit(100), limit(10, { perMs: 1_000 }), limit(5, { isAmount: true })])
    expect(rates.perMinute('did:o acme/desk')).toBe(200)
    rates.note('did:o acme/desk', 'shop:look', [limit(10, { perMs: 1_000 })])
    expect(rates.perMinute('did:o acme/desk')).toBe(200 + 610)
    rates.note('did:o acme/desk', 'shop:buy', [limit(50)])
    expect(rates.perMinute('did:o acme/desk')).toBe(100 + 610)
    rates.note('did:o acme/other', 'shop:buy', [limit(1, { isAmount: true })])
    expect(rates.perMinute('did:o acme/other')).toBeUndefined()
  })

  it('tells no rate of who may do something without a limit, since its past alone can', () => {
    const rates = createGrantedRates()
    rates.note('a', 'shop:look', [])
    rates.note('a', 'shop:burn', [limit(10)])
    expect(rates.perMinute('a')).toBe(20)
    rates.note('a', 'shop:look', [])
    expect(rates.perMinute('a')).toBeUndefined()
  })

  it('counts a bucket that capabilities share once', () => {
    const rates = createGrantedRates()
    for (const action of ['shop:buy', 'shop:look']) rates.note('a', action, [limit(30, { isShared: true })])
    expect(rates.perMinute('a')).toBe(60)
  })

  it('are those of the policy in force, and none of what it replaced', async () => {
    let rates: GrantedRates | undefined
    const look: Stage<InboundHop> = {
      name: 'look',
      run({ parts }) {
        rates = parts.grantedRates
        return { kind: 'allow' }
      },
    }
    await using pair = await openPair({
      inbound: (standard) => ({
        ...standard,
        routes: { ...standard.routes, request: [look, ...(standard.routes.request ?? [])] },
      }),
    })
    const paced = (max: number): string =>
      `apiVersion: parley/v1\nname: house\ndefault: deny\nrules:\n  - { name: paced, when: "true", effect: allow, limit: ${String(max)}/minute }`
    const desk = `${pair.desk.owner} acme/desk`
    const granted: (number | undefined)[] = []
    for (const max of [30, 5]) {
      await pair.shop.reloadPolicy([{ file: 'house.yaml', text: paced(max) }])
      expect((await pair.buy()).kind).toBe('ok')
      granted.push(rates?.perMinute(desk))
      rates?.note(desk, 'shop:look', [limit(100)])
    }
    expect(granted).toEqual([60, 10])
  })

  it('I1 forgets those of whom nothing was decided for longest', () => {
    const rates = createGrantedRates()
    for (let agent = 0; agent <= 10_000; agent++) rates.note(String(agent), 'shop:buy', [limit(1)])
    expect([rates.perMinute('0'), rates.perMinute('1'), rates.perMinute('10000')]).toEqual([undefined, 2, 2])
  })
})
