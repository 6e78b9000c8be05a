import { createKeySigner, createLocalIssuer, generateSeed, signDeclaration, type Declarer } from '@parley/identity'
import { approvalPurpose, type AppendedRecord, type MeshNode, type Outcome } from '@parley/mesh'
import type { PolicySource } from '@parley/policy'
import { openSqliteStore } from '@parley/store-sqlite'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { openShop, shop, soundServes } from './shop.ts'

function documentWith(rules: string, name = 'house'): PolicySource {
  return { file: `${name}.yaml`, text: `apiVersion: parley/v1\nname: ${name}\ndefault: allow\nrules:\n${rules}\n` }
}

const byWord = (left: { readonly word: string }, right: { readonly word: string }): number =>
  left.word < right.word ? -1 : 1

function codeOf(outcome: Outcome): string {
  return outcome.kind === 'refused' ? outcome.code : outcome.kind
}

const asks = documentWith(
  [
    '  - name: people-say',
    "    when: direction == 'inbound' && action == 'shop:buy' && phase == 'do'",
    '    effect: require_approval',
    '    approvers: [staff/ann, staff/bob]',
    '    requires: 2',
    '    within: 1h',
  ].join('\n'),
)

/** A shop that asks two people before it sells, over a store that outlives its node. */
async function openCautious(mesh: TestMesh, store?: Awaited<ReturnType<typeof openSqliteStore>>) {
  const { clock, random } = mesh
  const human = { serves: [], calls: [], human: 2 } as const
  const staff = createLocalIssuer({
    alias: 'staff',
    clock,
    random,
    allow: { 'staff/ann': human, 'staff/bob': human, 'staff/eve': human, 'staff/bot': { serves: [], calls: [] } },
  })
  const anchors = [mesh.issuer.anchor, staff.anchor]
  const bought: unknown[] = []
  const openCounter = (): Promise<MeshNode> =>
    mesh.node('acme/shop', {
      anchors,
      policy: [asks],
      serves: [shop],
      ...(store ? { store } : {}),
      serve: (node) => {
        node.serve(shop, { ...soundServes, buy: (input) => (bought.push(input), { receipt: 'r' }) })
      },
    })
  const person = async (name: string): Promise<Declarer> => {
    const signer = createKeySigner(generateSeed(random))
    return { signer, ...(await staff.issue({ name, instance: signer.did, serves: [], calls: [] })) }
  }
  const say = async (
    name: string,
    word: string,
    asked: { readonly id: string; readonly digest: string } | undefined,
    more: object = {},
  ): Promise<string> =>
    signDeclaration(await person(name), {
      id: `${name}-${word}-${asked?.id ?? ''}`.replaceAll('/', '-'),
      purpose: approvalPurpose,
      content: { request: asked?.id ?? '', digest: asked?.digest ?? '', word, ...more },
      issuedAtMs: clock.now(),
      expiresAtMs: clock.now() + 600_000,
    })
  return { openCounter, say, bought, staff }
}

describe('an approval', () => {
  it('is asked for with id and digest, takes two people, is good for one call, and for exactly that one', async () => {
    await using mesh = createTestMesh({ seed: 31 })
    const { openCounter, say, bought } = await openCautious(mesh)
    const counter = await openCounter()
    const desk = await mesh.node('acme/desk', { calls: [shop.buy] })
    const buy = (item: string): Promise<Outcome> => desk.tryCall(shop.buy, { item }, { to: 'acme/shop' })

    const asked = await buy('lamp')
    expect(asked).toMatchObject({ kind: 'refused', code: 'policy.approval-required' })
    const request = asked.kind === 'refused' ? asked.approval : undefined
    expect(request).toEqual({ id: expect.any(String) as string, digest: expect.any(String) as string })
    expect(await counter.approvals.list()).toMatchObject([
      { id: request?.id, arguments: { item: 'lamp' }, answers: [] },
    ])

    expect(await counter.approvals.answer(await say('staff/ann', 'granted', request))).toEqual({ kind: 'allow' })
    expect(codeOf(await buy('lamp'))).toBe('policy.approval-required')
    expect(await counter.approvals.answer(await say('staff/eve', 'granted', request))).toMatchObject({
      code: 'policy.approval-invalid',
    })
    expect(await counter.approvals.answer(await say('staff/bot', 'granted', request))).toMatchObject({
      code: 'identity.sign-in-too-weak',
    })
    expect(await counter.approvals.answer(await say('staff/ann', 'granted', request))).toMatchObject({ kind: 'allow' })
    expect(codeOf(await buy('lamp'))).toBe('policy.approval-required')
    const second = await say('staff/bob', 'granted', request)
    expect(await counter.approvals.answer(second)).toEqual({ kind: 'allow' })

    expect(codeOf(await buy('diamond'))).toBe('policy.approval-required')
    expect(bought).toEqual([])
    expect(codeOf(await buy('lamp'))).toBe('ok')
    expect(bought).toEqual([{ item: 'lamp' }])
    expect(codeOf(await buy('lamp'))).toBe('policy.approval-required')
    expect(await counter.approvals.answer(second)).toMatchObject({ code: 'policy.approval-invalid' })
  })

  it('is void once the policy is another, its signer was revoked, or it is too late', async () => {
    await using mesh = createTestMesh({ seed: 32 })
    const { openCounter, say, staff } = await openCautious(mesh)
    const counter = await openCounter()
    const desk = await mesh.node('acme/desk', { calls: [shop.buy] })
    const buy = (): Promise<Outcome> => desk.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/shop' })
    const grantBoth = async (): Promise<void> => {
      const asked = await buy()
      const request = asked.kind === 'refused' ? asked.approval : undefined
      for (const name of ['staff/ann', 'staff/bob'])
        expect(await counter.approvals.answer(await say(name, 'granted', request))).toEqual({ kind: 'allow' })
    }
    await grantBoth()
    await counter.reloadPolicy([asks, documentWith('  []', 'another')])
    expect(codeOf(await buy())).toBe('policy.approval-required')
    await counter.reloadPolicy([asks])
    await counter.acceptOrder(await staff.order('revoke', 'staff/ann'))
    expect(codeOf(await buy())).toBe('policy.approval-required')
  })

  it('ends by a denial or an amendment, and both are kept', async () => {
    await using mesh = createTestMesh({ seed: 33 })
    const { openCounter, say } = await openCautious(mesh)
    const counter = await openCounter()
    const desk = await mesh.node('acme/desk', { calls: [shop.buy] })
    const buy = (item: string): Promise<Outcome> => desk.tryCall(shop.buy, { item }, { to: 'acme/shop' })
    for (const [item, word] of [
      ['lamp', 'denied'],
      ['piano', 'amended'],
    ] as const) {
      const asked = await buy(item)
      const request = asked.kind === 'refused' ? asked.approval : undefined
      await counter.approvals.answer(await say('staff/ann', word, request, { arguments: { item: 'flute' } }))
      expect(codeOf(await buy(item))).toBe('policy.approval-denied')
    }
    expect((await counter.approvals.list()).flatMap(({ answers }) => answers).toSorted(byWord)).toMatchObject([
      { word: 'amended', arguments: { item: 'flute' } },
      { word: 'denied' },
    ])
    expect(codeOf(await buy('flute'))).toBe('policy.approval-required')
  })

  it('survives a restart of the node that asked', async () => {
    await using mesh = createTestMesh({ seed: 34 })
    const store = await openSqliteStore({ path: ':memory:', clock: mesh.clock })
    const kept = { ...store, close: () => Promise.resolve() }
    const { openCounter, say } = await openCautious(mesh, kept)
    const first = await openCounter()
    const desk = await mesh.node('acme/desk', { calls: [shop.buy] })
    const buy = (): Promise<Outcome> => desk.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/shop' })
    const asked = await buy()
    const request = asked.kind === 'refused' ? asked.approval : undefined
    await first.approvals.answer(await say('staff/ann', 'granted', request))
    await first.close()
    const again = await openCounter()
    await again.approvals.answer(await say('staff/bob', 'granted', request))
    expect(codeOf(await buy())).toBe('ok')
  })
})

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
        "  - { name: once, when: action == 'shop:buy' && direction == 'outbound', effect: allow, limit: 1/hour }",
      ].join('\n'),
    )
    await using open = await openShop({}, { desk: { policy: [rules] } })
    await open.buy('warm-up')
    await open.mesh.clock.advance(3_600_000)
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
