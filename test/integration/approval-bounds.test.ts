import { createTestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { endOf } from './agency.ts'
import { asksFor, buyer, documentWith, openCautious, requestOf } from './cautious-shop.ts'
import { shop } from './shop.ts'

const required = 'policy.approval-required'
const used = 'policy.approval-used'

describe('requests for approval', () => {
  it('are bounded while they wait and when they are over: of one agent, and of all agents of its owner', async () => {
    await using mesh = createTestMesh({ seed: 41 })
    const { openCounter } = openCautious(mesh)
    const counter = await openCounter({ policy: [asksFor(1, '1m')] })
    const ask = async (agent: number, times: number): Promise<readonly string[]> => {
      const buy = buyer(await mesh.node(`acme/desk-${String(agent)}`, { calls: [shop.buy] }))
      return Promise.all(Array.from({ length: times }, async (_, at) => endOf(await buy(`lamp ${String(at)}`))))
    }
    const limited = 'policy.rate-limited'
    const first = await ask(1, 66)
    expect(first.filter((end) => end === limited)).toHaveLength(2)
    for (const agent of [2, 3, 4]) await ask(agent, 64)
    expect(await counter.approvals.list()).toHaveLength(256)
    expect(await ask(5, 1)).toEqual([limited])
    await mesh.clock.advance(60_000)
    expect(await ask(6, 64)).not.toContain(limited)
    await mesh.clock.advance(60_000)
    expect(await ask(7, 1)).toEqual([required])
    const kept = await counter.approvals.list()
    expect(kept).toHaveLength(257)
    const of = (agent: number): number =>
      kept.filter(({ subject }) => subject.requester.endsWith(` acme/desk-${String(agent)}`)).length
    expect([of(6), of(7)]).toEqual([64, 1])
  })
})

describe('what is over of an owner', () => {
  const rule = (name: string, action: string, within: string): string =>
    `  - { name: ${name}, when: "direction == 'inbound' && action == '${action}' && phase == 'do'", effect: require_approval, approvers: [staff/ann], within: ${within} }`

  it('pushes out no request that was used and may be asked for again: an amendment is good for one hop', async () => {
    await using mesh = createTestMesh({ seed: 71 })
    const { openCounter, say, bought } = openCautious(mesh)
    const rules = [rule('buy', 'shop:buy', '1h'), rule('look', 'shop:look', '1m')].join('\n')
    const counter = await openCounter({ policy: [documentWith(rules)] })
    const desk = await mesh.node('acme/desk', { calls: [shop.buy, shop.look] })
    const buy = buyer(desk)
    const asked = requestOf(await buy('piano'))
    const amended = await say('staff/ann', 'amended', asked, { arguments: { item: 'flute' } }, 3_000_000)
    expect(endOf(await buy('flute', { approvals: [amended] }))).toBe('ok')
    for (let round = 0; round < 6; round++) {
      const looks = Array.from({ length: 62 }, (_, at) => `${String(round)} ${String(at)}`)
      await Promise.all(looks.map((item) => desk.tryCall(shop.look, { item }, { to: 'acme/shop' })))
      await mesh.clock.advance(61_000)
    }
    await desk.tryCall(shop.look, { item: 'last' }, { to: 'acme/shop' })
    expect((await counter.approvals.list()).length).toBeLessThan(300)
    expect(endOf(await buy('flute', { approvals: [amended] }))).toBe(used)
    expect(bought).toEqual([{ item: 'flute' }])
  })

  it('is bounded also where all its agents ask at the same moment', async () => {
    await using mesh = createTestMesh({ seed: 42 })
    const { openCounter } = openCautious(mesh)
    const counter = await openCounter({ policy: [asksFor(1, '1m')] })
    const names = Array.from({ length: 6 }, (_, at) => `acme/desk-${String(at)}` as const)
    const buyers = await Promise.all(names.map(async (name) => buyer(await mesh.node(name, { calls: [shop.buy] }))))
    const lamps = Array.from({ length: 64 }, (_, at) => `lamp ${String(at)}`)
    await Promise.all(buyers.flatMap((buy) => lamps.map((lamp) => buy(lamp))))
    expect(await counter.approvals.list()).toHaveLength(256)
  })

  it('takes no place of what waits once somebody denied it', async () => {
    await using mesh = createTestMesh({ seed: 44 })
    const { openCounter, say } = openCautious(mesh)
    const counter = await openCounter({ policy: [asksFor(1)] })
    const buy = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))
    for (let at = 0; at < 64; at++) {
      const denied = await say('staff/ann', 'denied', requestOf(await buy(`lamp ${String(at)}`)))
      expect(await counter.approvals.answer(denied)).toEqual({ kind: 'allow' })
    }
    expect(endOf(await buy('one more'))).toBe(required)
  })
})
