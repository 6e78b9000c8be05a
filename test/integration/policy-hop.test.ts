import type { AppendedRecord, Outcome } from '@parley/mesh'
import type { PolicySource } from '@parley/policy'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { documentWith } from './cautious-shop.ts'
import { openShop, shop, soundServes } from './shop.ts'

function codeOf(outcome: Outcome): string {
  return outcome.kind === 'refused' ? outcome.code : outcome.kind
}

describe('the terms of a rule', () => {
  it('are taken from by calls, told with the time to wait, and given back by time', async () => {
    const paced = documentWith("  - { name: paced, when: direction == 'inbound', effect: allow, limit: 2/minute }")
    await using open = await openShop({}, { counter: { policy: [paced] } })
    expect([codeOf(await open.buy()), codeOf(await open.buy())]).toEqual(['ok', 'ok'])
    expect(await open.buy()).toMatchObject({ code: 'policy.rate-limited', retryAfterMs: 30_000 })
    expect((await open.hopsOf(open.counter)).at(-1)).toMatchObject({ stage: 'policy', rule: 'house#paced' })
    await open.mesh.clock.advance(30_000)
    expect(codeOf(await open.buy())).toBe('ok')
  })

  it('tell how fast a caller may be: what goes on far above them is in quarantine', async () => {
    const paced = documentWith("  - { name: paced, when: direction == 'inbound', effect: allow, limit: 30/minute }")
    await using open = await openShop({}, { counter: { policy: [paced] } })
    const ends = new Set<string>()
    for (let bundle = 0; bundle < 17; bundle++)
      for (const outcome of await Promise.all(Array.from({ length: 64 }, () => open.buy()))) ends.add(codeOf(outcome))
    expect([...ends]).toEqual(['ok', 'policy.rate-limited', 'trust.quarantined'])
    await open.mesh.clock.settle()
    const told = open.mesh.recordsOf(open.counter).find(({ kind, cause }) => kind === 'trust' && cause !== undefined)
    expect(told).toMatchObject({ cause: 'far-above-its-rate', reason: expect.stringMatching(/ above 60$/) as string })
  })

  it('rewrite what the handler gets, and the record holds both digests', async () => {
    const hide = documentWith(
      "  - { name: hide, when: direction == 'inbound' && action == 'shop:buy', effect: transform, redact: [body.item], matching: '[a-z]+@[a-z.]+' }",
    )
    await using open = await openShop({}, { counter: { policy: [hide] } })
    const outcome = await open.buy('lamp for bob@acme.example')
    expect(outcome).toMatchObject({ kind: 'ok', output: { receipt: 'lamp for [redacted] for acme/desk' } })
    const record = (await open.hopsOf(open.counter)).at(-1) as AppendedRecord
    expect(record).toMatchObject({ rewrittenBy: 'house#hide' })
    expect(record['body']).not.toBe(record['rewritten'])
  })
})

describe('can and tools', () => {
  it('say what would be sent, and leave nothing behind', async () => {
    const rules = documentWith(
      [
        "  - { name: no-pianos, when: action == 'shop:buy' && body.item == 'piano', effect: deny }",
        "  - { name: no-burning, when: action == 'shop:burn', effect: deny }",
        "  - { name: ask, when: action == 'shop:look' && direction == 'outbound', effect: require_approval }",
        "  - { name: once, when: action == 'shop:buy' && direction == 'outbound', effect: allow, limit: 1/minute }",
      ].join('\n'),
    )
    await using open = await openShop({}, { desk: { policy: [rules] } })
    await open.buy('warm-up')
    await open.mesh.clock.advance(60_000)
    const before = (await open.hopsOf(open.desk)).length
    for (let ask = 0; ask < 3; ask++) expect(await open.desk.can(shop.buy, { item: 'lamp' })).toEqual({ kind: 'allow' })
    expect(await open.desk.can(shop.buy, { item: 'piano' })).toMatchObject({
      code: 'policy.denied',
      rule: 'house#no-pianos',
    })
    expect(await open.desk.can(shop.look, { item: 'lamp' })).toMatchObject({ code: 'policy.approval-required' })
    const tools = await open.desk.tools()
    expect(tools.map(({ name, needsApproval }) => [name, needsApproval])).toEqual([
      ['shop:look', true],
      ['shop:buy', false],
    ])
    expect(tools[1]?.inputSchema).toMatchObject({ type: 'object', properties: { item: { type: 'string' } } })
    expect((await open.hopsOf(open.desk)).length).toBe(before)
    expect(await open.desk.approvals.list()).toEqual([])
  })
})

describe('a chain of hops', () => {
  const openChain = async (mesh: TestMesh, policyOfB: readonly PolicySource[]) => {
    const c = await mesh.node('acme/c', {
      serves: [shop],
      serve: (node) => {
        node.serve(shop, soundServes)
      },
    })
    const b = await mesh.node('acme/b', {
      policy: policyOfB,
      serves: [shop],
      calls: [shop.look],
      serve: (node) => {
        node.serve(shop, {
          ...soundServes,
          buy: async ({ item }, hop) => {
            const { cents } = await hop.call(shop.look, { item }, { to: 'acme/c', authority: 'own' })
            return { receipt: `${item} for ${String(cents)}` }
          },
        })
      },
    })
    const a = await mesh.node('acme/a', { calls: [shop.buy] })
    return { a, b, c }
  }

  it('A → B → C gives four decisions under one trace', async () => {
    await using mesh = createTestMesh({ seed: 41 })
    const { a, b, c } = await openChain(mesh, [])
    const outcome = await a.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/b' })
    expect(outcome).toMatchObject({ kind: 'ok', output: { receipt: 'lamp for 5' } })
    await mesh.clock.settle()
    const records = [a, b, c]
      .flatMap((node) => mesh.recordsOf(node))
      .filter(({ kind, trace }) => kind === 'hop' && trace === outcome.hop.trace)
    expect(records.map(({ side, capability, rule, policy }) => [side, capability, rule, typeof policy])).toEqual([
      ['caller', 'shop:buy', 'both-credentials-grant', 'string'],
      ['caller', 'shop:look', 'both-credentials-grant', 'string'],
      ['callee', 'shop:buy', 'both-credentials-grant', 'string'],
      ['callee', 'shop:look', 'both-credentials-grant', 'string'],
    ])
  })

  it.each(['inbound', 'outbound'])('a denial at B, %s, leaves no delivery at C', async (direction) => {
    await using mesh = createTestMesh({ seed: 42 })
    const action = direction === 'inbound' ? 'shop:buy' : 'shop:look'
    const no = documentWith(
      `  - { name: no, when: "direction == '${direction}' && action == '${action}'", effect: deny }`,
    )
    const { a, c } = await openChain(mesh, [no])
    const outcome = await a.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/b' })
    expect(outcome.kind).not.toBe('ok')
    await mesh.clock.settle()
    expect(mesh.recordsOf(c).filter(({ kind }) => kind === 'hop')).toEqual([])
  })
})

describe('obligations and shadow documents', () => {
  it('what a rule obliges to is told to the handler and travels down the chain', async () => {
    const told: (readonly string[])[] = []
    await using mesh = createTestMesh({ seed: 51 })
    await mesh.node('acme/c', {
      serves: [shop],
      serve: (node) => {
        node.serve(shop, { ...soundServes, look: (_, hop) => (told.push(hop.obligations), { cents: 1 }) })
      },
    })
    const oblige = documentWith(
      '  - { name: mind, when: "direction == \'inbound\'", effect: allow, obligations: [erase-after-use] }',
    )
    await mesh.node('acme/b', {
      policy: [oblige],
      serves: [shop],
      calls: [shop.look],
      serve: (node) => {
        node.serve(shop, {
          ...soundServes,
          buy: async ({ item }, hop) => {
            told.push(hop.obligations)
            await hop.call(shop.look, { item }, { to: 'acme/c', authority: 'own' })
            return { receipt: '' }
          },
        })
      },
    })
    const a = await mesh.node('acme/a', { calls: [shop.buy] })
    expect(codeOf(await a.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/b' }))).toBe('ok')
    expect(told).toEqual([['erase-after-use'], ['erase-after-use']])
  })

  it('documents that are tried decide on the record and change nothing', async () => {
    const no = documentWith("  - { name: no, when: action == 'shop:buy', effect: deny }", 'tried')
    await using open = await openShop({}, { counter: { shadowPolicy: [no] } })
    expect(codeOf(await open.buy())).toBe('ok')
    await open.mesh.clock.settle()
    const records = open.mesh.recordsOf(open.counter).filter(({ event }) => event === 'shadow-differs')
    expect(records).toMatchObject([
      { decided: 'allow', shadow: 'deny', shadowRule: 'tried#no', capability: 'shop:buy' },
    ])
  })
})
