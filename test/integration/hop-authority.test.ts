import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localIssuer } from '@parley/mesh'
import type { AgentName } from '@parley/protocol'
import type { TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { openShop, shop, soundServes } from './shop.ts'
import { readHeaders, tapWire } from './wire.ts'

const hourMs = 3_600_000

/** Opens a shop that serves only under a delegation, and says which chain it saw. */
async function openDelegated() {
  const seen: { readonly root?: string | undefined; readonly agents?: readonly AgentName[] | undefined }[] = []
  const open = await openShop(
    {
      buy: (_, hop) => {
        seen.push({ root: hop.delegation?.root, agents: hop.delegation?.agents.map(({ name }) => name) })
        return { receipt: 'r' }
      },
    },
    {
      counter: {
        policy: [
          {
            file: 'delegated.yaml',
            text: [
              'apiVersion: parley/v1',
              'name: delegated',
              'default: allow',
              'rules:',
              '  - name: only-under-a-delegation',
              "    when: direction == 'inbound' && !delegation.present",
              '    effect: deny',
              '    reason: the shop sells only for somebody',
            ].join('\n'),
          },
        ],
      },
    },
  )
  return { open, seen }
}

const delegate = (mesh: TestMesh, capabilities: readonly string[], forMs = hourMs): Promise<readonly string[]> =>
  mesh.issuer.delegate({ to: 'acme/desk', capabilities, forMs })

describe('delegation', () => {
  it('is what a policy may ask for: without refused, with it served, and told to the handler', async () => {
    const { open, seen } = await openDelegated()
    await using _ = open
    const without = await open.desk.tryCall(shop.buy, { item: 'lamp' })
    expect(without).toMatchObject({ kind: 'refused', code: 'policy.denied', hop: { sent: true } })
    const delegation = await delegate(open.mesh, ['shop:buy'])
    expect((await open.desk.tryCall(shop.buy, { item: 'lamp' }, { delegation })).kind).toBe('ok')
    expect(seen).toEqual([{ root: open.mesh.issuer.owner, agents: ['acme/desk'] }])
    expect((await open.hopsOf(open.counter))[0]).toMatchObject({ rule: 'delegated#only-under-a-delegation' })
  })

  it('travels whole once a session, then by its hash', async () => {
    const { open } = await openDelegated()
    await using _ = open
    const wire = tapWire(open.mesh.bus)
    const delegation = await delegate(open.mesh, ['shop:buy'])
    for (let call = 0; call < 3; call++)
      expect((await open.desk.tryCall(shop.buy, { item: 'lamp' }, { delegation })).kind).toBe('ok')
    const requests = wire.headers().filter(({ type }) => type === 'request')
    expect(requests.map(({ links }) => links?.length ?? 0)).toEqual([1, 0, 0])
    expect(new Set(requests.map(({ chain }) => chain)).size).toBe(1)
  })

  it.each([
    ['grants something else', ['shop:look'], hourMs, 'delegation.not-granted'],
    ['grants only a part', ['shop:buy:lamps'], hourMs, 'delegation.not-granted'],
  ] as const)('is refused when it %s', async (_, capabilities, forMs, code) => {
    const { open } = await openDelegated()
    await using __ = open
    const delegation = await delegate(open.mesh, capabilities, forMs)
    const outcome = await open.desk.tryCall(shop.buy, { item: 'lamp' }, { delegation })
    expect(outcome).toMatchObject({ kind: 'refused', code })
  })

  it('is refused once it is expired, also in a session that knew it', async () => {
    const { open } = await openDelegated()
    await using _ = open
    const delegation = await delegate(open.mesh, ['shop:buy'], 120_000)
    const call = () => open.desk.tryCall(shop.buy, { item: 'lamp' }, { delegation })
    expect((await call()).kind).toBe('ok')
    await open.mesh.clock.advance(240_000)
    expect(await call()).toMatchObject({ kind: 'refused', code: 'delegation.expired' })
  })

  it('is refused for another delegate, for another root, and for a changed link', async () => {
    const { open } = await openDelegated()
    await using _ = open
    const foreign = localIssuer('evil', { clock: open.mesh.clock, random: open.mesh.random })
    const [good = ''] = await delegate(open.mesh, ['shop:buy'])
    const flipped = `${good.slice(0, -6)}AAAA${good.slice(-2)}`
    const chains = [
      await open.mesh.issuer.delegate({ to: 'acme/other', capabilities: ['shop:buy'], forMs: hourMs }),
      await foreign.delegate({
        to: 'acme/desk',
        toOwner: open.mesh.issuer.owner,
        capabilities: ['shop:buy'],
        forMs: hourMs,
      }),
      [flipped],
      [good, good],
      ['nonsense'],
      [],
    ]
    for (const delegation of chains) {
      const outcome = await open.desk.tryCall(shop.buy, { item: 'lamp' }, { delegation })
      expect(outcome.kind === 'refused' ? outcome.code : outcome.kind).toMatch(/^(?:delegation|identity)\./)
    }
  })
})

describe('orders', () => {
  it('refuse a revoked peer in both directions', async () => {
    await using open = await openShop()
    const order = await open.mesh.issuer.order('revoke', 'acme/desk')
    const strict = await open.mesh.node('acme/strict', {
      orders: [order],
      serves: [shop],
      calls: [shop.buy],
      serve: (node) => {
        node.serve(shop, soundServes)
      },
    })
    const inbound = await open.desk.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/strict' })
    expect(inbound).toMatchObject({ kind: 'refused', code: 'identity.revoked' })
    const other = open.mesh.node('acme/desk', {
      serves: [shop],
      serve: (node) => {
        node.serve(shop, soundServes)
      },
    })
    await other
    const outbound = strict.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/desk' })
    await open.mesh.clock.advance(1_000)
    expect(await outbound).toMatchObject({ kind: 'refused', hop: { sent: false } })
  })

  it('that do not hold keep the node from starting', async () => {
    await using open = await openShop()
    await open.mesh.issuer.order('revoke', 'acme/first')
    const second = await open.mesh.issuer.order('revoke', 'acme/second')
    await expect(open.mesh.node('acme/strict', { orders: [second] })).rejects.toMatchObject({
      code: 'identity.order-gap',
    })
  })
})

describe('credentials', () => {
  it('are renewed in time, and calls go on over the renewal', async () => {
    await using open = await openShop()
    const wire = tapWire(open.mesh.bus)
    for (let minutes = 0; minutes < 45; minutes += 5) {
      expect((await open.buy()).kind).toBe('ok')
      await open.mesh.clock.advance(5 * 60_000)
    }
    const hellos = wire.headers().filter(({ type }) => type === 'hello')
    expect(hellos.length).toBeGreaterThan(2)
    expect(new Set(hellos.map(({ credential }) => credential)).size).toBe(hellos.length)
  })

  it('that cannot be renewed end in a refusal, and the node says why', async () => {
    await using open = await openShop()
    const { issuer } = open.mesh
    let isDown = false
    const flaky = {
      ...issuer,
      issue: (request: Parameters<typeof issuer.issue>[0]) =>
        isDown ? Promise.reject(new Error('the issuer is down')) : issuer.issue(request),
    }
    const late = await open.mesh.node('acme/late', { issuer: flaky, calls: [shop.buy] })
    isDown = true
    expect((await late.tryCall(shop.buy, { item: 'lamp' })).kind).toBe('ok')
    await open.mesh.clock.advance(16 * 60_000)
    expect(late.health()).toMatchObject({ ready: false, reasons: ['the credential is expired'] })
    expect((await late.tryCall(shop.buy, { item: 'lamp' })).kind).toBe('refused')
    isDown = false
    await open.mesh.clock.advance(10_000)
    expect(late.health().ready).toBe(true)
    expect((await late.tryCall(shop.buy, { item: 'lamp' })).kind).toBe('ok')
  })

  it('that the issuer refuses keep the node from starting', async () => {
    await using open = await openShop()
    await expect(open.mesh.node('evil/desk')).rejects.toMatchObject({ code: 'identity.issuer-refused' })
  })
})

describe('trust', () => {
  const failing = { buy: (_: unknown, hop: { fail(): never }) => hop.fail() } as never

  it('that fell below the bar of the risk refuses before anything is sent', async () => {
    await using open = await openShop(failing)
    const kinds: string[] = []
    for (let call = 0; call < 12; call++) {
      const outcome = await open.buy()
      kinds.push(outcome.kind === 'refused' ? outcome.code : outcome.kind)
    }
    expect(kinds[0]).toBe('failed')
    expect(kinds.at(-1)).toBe('trust.below-threshold')
    const last = (await open.hopsOf(open.desk)).at(-1)
    expect(last).toMatchObject({ outcome: 'refused', stage: 'policy', sent: false, tier: 'probationary' })
    expect(await open.hopsOf(open.counter)).toHaveLength(kinds.filter((kind) => kind === 'failed').length)
    const look = await open.desk.tryCall(shop.look, { item: 'lamp' })
    expect(look.kind).toBe('ok')
    const moved = open.mesh
      .recordsOf(open.desk)
      .filter(({ kind, event }) => kind === 'trust' && event === 'tier-changed')
    expect(moved).toMatchObject([{ from: 'standard', to: 'probationary' }])
  })

  it('lets an undo pass that it would refuse forward', async () => {
    let undone = 0
    await using open = await openShop({
      buy: {
        do: (_, hop) => hop.fail(),
        undo: () => {
          undone += 1
        },
      },
    })
    for (let call = 0; call < 12; call++) await open.buy()
    expect(await open.buy()).toMatchObject({ code: 'trust.below-threshold' })
    const saga = { id: 's', step: 'buy', attempt: 1, epoch: 1, key: 'k', phase: 'undo', expiresAtMs: 9e12 } as const
    expect((await open.desk.tryCall(shop.buy, {} as never, { saga })).kind).toBe('ok')
    expect(undone).toBe(1)
  })

  it('does not let irreversible and administrative work pass on a new peer without more', async () => {
    await using open = await openShop()
    expect((await open.desk.tryCall(shop.burn, {})).kind).toBe('ok')
    const wipe = await open.desk.tryCall(shop.wipe, {})
    expect(wipe).toMatchObject({ kind: 'refused', code: 'trust.below-threshold', hop: { sent: false } })
  })

  it('survives a restart of its node', async () => {
    await using open = await openShop(failing)
    const folder = await mkdtemp(join(tmpdir(), 'parley-trust-'))
    try {
      const options = { data: join(folder, 'node.sqlite'), calls: [shop.buy] }
      const first = await open.mesh.node('acme/buyer', options)
      for (let call = 0; call < 3; call++) await first.tryCall(shop.buy, { item: 'lamp' })
      const [before] = (await open.hopsOf(first)).slice(-1)
      await first.close()
      const second = await open.mesh.node('acme/buyer', options)
      await second.tryCall(shop.buy, { item: 'lamp' })
      const [after] = await open.hopsOf(second)
      expect(before?.['score']).toBeLessThan(500)
      expect(after?.['score']).toBeLessThan(Number(before?.['score']))
      await second.close()
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('breakers', () => {
  it('open for a peer that does not answer, refuse unsent with a time, let a probe pass, and close', async () => {
    let isStuck = true
    await using open = await openShop({
      look: () => (isStuck ? new Promise<never>(() => undefined) : { cents: 5 }),
    })
    const look = () => open.desk.tryCall(shop.look, { item: 'lamp' }, { deadlineMs: 100 })
    const stuck = Array.from({ length: 30 }, look)
    await open.mesh.clock.advance(100)
    expect(new Set((await Promise.all(stuck)).map(({ kind }) => kind))).toEqual(new Set(['unknown']))
    const refused = await look()
    expect(refused).toMatchObject({ kind: 'refused', code: 'breaker.open', hop: { sent: false, refusedBy: 'breaker' } })
    const waitMs = refused.kind === 'refused' ? (refused.retryAfterMs ?? 0) : 0
    expect(waitMs).toBeGreaterThan(0)
    isStuck = false
    await open.mesh.clock.advance(waitMs)
    for (let probe = 0; probe < 5; probe++) expect((await look()).kind).toBe('ok')
    const changes = open.mesh.recordsOf(open.desk).filter(({ kind, to }) => kind === 'breaker' && to !== undefined)
    expect(changes.map(({ to }) => to)).toEqual(['open', 'half-open', 'closed'])
  })

  it('do not open for what a peer declines or refuses', async () => {
    await using open = await openShop({ buy: (_, hop) => hop.decline('sold-out', { left: 0 }) })
    for (let call = 0; call < 40; call++) expect((await open.buy()).kind).toBe('declined')
  })
})

describe('two owners', () => {
  it('work together once each anchors the other, by name', async () => {
    await using open = await openShop()
    const globex = localIssuer('globex', { clock: open.mesh.clock, random: open.mesh.random })
    const anchors = [globex.anchor, open.mesh.issuer.anchor]
    const wire = tapWire(open.mesh.bus)
    await open.mesh.node('acme/market', {
      anchors,
      serves: [shop],
      serve: (node) => {
        node.serve(shop, soundServes)
      },
    })
    const buyer = await open.mesh.node('globex/buyer', { issuer: globex, anchors, calls: [shop.buy] })
    const outcome = await buyer.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/market' })
    expect(outcome).toMatchObject({ kind: 'ok', output: { receipt: 'lamp for globex/buyer' } })
    const unnamed = buyer.tryCall(shop.buy, { item: 'lamp' })
    await open.mesh.clock.advance(1_000)
    expect(await unnamed).toMatchObject({ kind: 'refused', code: 'mesh.no-provider' })
    expect(wire.units.flatMap(readHeaders).some(({ type }) => type === 'reply')).toBe(true)
  })
})
