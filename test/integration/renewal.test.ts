import { defineContract, type AppendedRecord, type MeshNode, type Outcome } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openIssuedMesh, type IssuedMesh } from './issued-mesh.ts'
import { shop, soundServes } from './shop.ts'
import { readHeaders, tapWire } from './wire.ts'

const minute = 60_000
const calls = [shop.look, shop.buy]
/** Hours pass quickly when little happens in them. */
const seldom = { heartbeatMs: 20_000 }

interface Pair {
  readonly counter: MeshNode
  readonly desk: MeshNode
}

async function startPair(mesh: IssuedMesh, buy = soundServes.buy): Promise<Pair> {
  const counter = await mesh.node('acme/shop', { serves: [shop] })
  counter.serve(shop, { ...soundServes, buy })
  const desk = await mesh.node('acme/desk', { calls })
  await mesh.start(counter)
  await mesh.start(desk)
  return { counter, desk }
}

async function advanceBy(mesh: IssuedMesh, ms: number, stepMs = minute): Promise<void> {
  for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) await mesh.clock.advance(Math.min(leftMs, stepMs))
}

/** Calls once and moves the clock until it ends. */
async function buyOnce(mesh: IssuedMesh, desk: MeshNode): Promise<Outcome> {
  const call = desk.tryCall(shop.buy, { item: 'lamp' }, { deadlineMs: 3_000 })
  await advanceBy(mesh, 3_000, 500)
  return call
}

const issuerAsk = { input: z.looseObject({}), output: z.looseObject({}), risk: 'reversible' } as const

function ofDesk(mesh: IssuedMesh, desk: MeshNode): readonly AppendedRecord[] {
  return mesh.records.get(desk)?.filter(({ kind }) => kind === 'hop') ?? []
}

describe('a credential', () => {
  it('is renewed long before it expires, by its own instance and without another join token', async () => {
    await using mesh = await openIssuedMesh({ ...seldom, credentialMs: 15 * minute })
    const issuer = await mesh.openIssuer()
    const { desk } = await startPair(mesh)
    const remaining = (): number => desk.health().credentialRemainingMs ?? 0
    expect(remaining()).toBeGreaterThan(14 * minute)
    for (let at = 0; at < 25; at++) {
      await mesh.clock.advance(minute)
      expect(remaining()).toBeGreaterThan(4 * minute)
    }
    await mesh.clock.settle()
    const hops = mesh.records.get(issuer)?.filter(({ kind, peer }) => kind === 'hop' && peer === 'acme/desk') ?? []
    expect(hops.length).toBeGreaterThan(2)
    expect(hops.slice(1).every(({ capability, outcome }) => capability === 'issuer:renew' && outcome === 'ok')).toBe(
      true,
    )
  })

  it('comes and is renewed under documents that allow the agent nothing, which bind all that the agent does', async () => {
    await using mesh = await openIssuedMesh({ ...seldom, credentialMs: 15 * minute })
    await mesh.openIssuer()
    const nothing = { file: 'none.yaml', text: 'apiVersion: parley/v1\nname: none\ndefault: deny\nrules: []\n' }
    const issuing = defineContract('issuer', { issue: issuerAsk, renew: issuerAsk })
    const all = [...calls, issuing.renew]
    const desk = await mesh.node('acme/desk', { calls: all, policy: [nothing], shadowPolicy: [nothing] })
    await mesh.start(desk)
    const [joined] = ofDesk(mesh, desk)
    expect(joined).toMatchObject({ capability: 'issuer:issue', document: 'parley:credentials-only', outcome: 'ok' })
    await advanceBy(mesh, 25 * minute)
    await desk.reloadPolicy([{ ...nothing, text: nothing.text.replaceAll('none', 'other') }])
    await advanceBy(mesh, 25 * minute)
    expect(desk.health().credentialRemainingMs).toBeGreaterThan(4 * minute)
    const renewed = ofDesk(mesh, desk).slice(1)
    expect(renewed.length).toBeGreaterThan(2)
    for (const record of renewed) expect(record).toMatchObject({ capability: 'issuer:renew', outcome: 'ok' })
    expect(new Set(renewed.map(({ policy }) => policy))).toEqual(new Set([joined?.['policy']]))
    expect(mesh.records.get(desk)?.filter(({ event }) => event === 'shadow-differs')).toEqual([])
    const own = await desk.tryCall(issuing.renew, {}, { to: 'acme/issuer' })
    expect(own).toMatchObject({ kind: 'refused', code: 'policy.denied', hop: { sent: false } })
  })

  it('is renewed on both sides under load, and no call is lost', async () => {
    await using mesh = await openIssuedMesh({ credentialMs: 15_000 })
    await mesh.openIssuer()
    let served = 0
    const { desk } = await startPair(mesh, async ({ item }) => {
      served += 1
      // Some answers come after the credential that the call began with has expired.
      const takes = served % 8 === 0 ? 20_000 : 400
      await new Promise<void>((resolve) => void mesh.clock.setTimer(resolve, takes))
      return { receipt: item }
    })
    const wire = tapWire(mesh.bus)
    const tally = new Map<string, number>()
    let isOver = false
    const worker = async (): Promise<void> => {
      while (!isOver) {
        const outcome = await desk.tryCall(shop.buy, { item: 'x' }, { deadlineMs: 30_000 })
        const told = outcome.kind === 'ok' ? 'ok' : `${outcome.kind} ${'code' in outcome ? outcome.code : ''}`
        tally.set(told, (tally.get(told) ?? 0) + 1)
        if (outcome.kind !== 'ok') return
      }
    }
    const workers = Array.from({ length: 64 }, worker)
    for (let step = 0; step < 60; step++) await mesh.clock.advance(500)
    isOver = true
    for (let step = 0; step < 8; step++) await mesh.clock.advance(3_000)
    await Promise.all(workers)
    const [, ...others] = [...tally].sort(([left], [right]) => (left === 'ok' ? -1 : right === 'ok' ? 1 : 0))
    expect(others).toEqual([])
    expect(tally.get('ok')).toBeGreaterThan(300)
    const renewals = wire.headers().filter(({ capability }) => capability === 'issuer:renew')
    expect(renewals.length).toBeGreaterThanOrEqual(6)
  })

  it('is renewed after it lapsed, though its session with the issuer is still open', async () => {
    await using mesh = await openIssuedMesh({ ...seldom, credentialMs: minute })
    await mesh.openIssuer()
    const { desk } = await startPair(mesh)
    await mesh.clock.advance(45_000)
    // Its process is held up for longer than the credential lives: renewals are sent, and nothing is heard.
    const heard = mesh.bus.inject({
      kind: 'drop',
      when: (unit) => readHeaders(unit).some(({ type, to }) => type === 'reply' && to === desk.instance),
    })
    await advanceBy(mesh, 2 * minute, 5_000)
    expect(desk.health().ready).toBe(false)
    heard()
    await advanceBy(mesh, minute / 2, 5_000)
    expect(desk.health()).toMatchObject({ ready: true, reasons: [] })
  })

  it('outlives a restart of its issuer', async () => {
    await using mesh = await openIssuedMesh({ ...seldom, credentialMs: 15 * minute })
    const issuer = await mesh.openIssuer()
    const { desk } = await startPair(mesh)
    await mesh.close(issuer)
    await advanceBy(mesh, minute)
    await mesh.openIssuer()
    await advanceBy(mesh, 17 * minute)
    expect(desk.health()).toMatchObject({ ready: true })
    expect((await buyOnce(mesh, desk)).kind).toBe('ok')
  })
})

describe('an issuer that is away for 20 minutes', () => {
  it('costs nothing with credentials of an hour', async () => {
    await using mesh = await openIssuedMesh({ ...seldom, credentialMs: 60 * minute })
    const issuer = await mesh.openIssuer()
    const { desk } = await startPair(mesh)
    await advanceBy(mesh, 35 * minute)
    await mesh.close(issuer)
    for (let at = 0; at < 4; at++) {
      await advanceBy(mesh, 5 * minute)
      expect((await buyOnce(mesh, desk)).kind).toBe('ok')
    }
    await mesh.openIssuer()
    await advanceBy(mesh, minute)
    expect(desk.health().credentialRemainingMs).toBeGreaterThan(55 * minute)
  })

  it('ends all work with credentials of 15 minutes at their expiry, and brings it back by itself', async () => {
    await using mesh = await openIssuedMesh({ ...seldom, credentialMs: 15 * minute })
    const issuer = await mesh.openIssuer()
    let served = 0
    const { counter, desk } = await startPair(mesh, ({ item }) => {
      served += 1
      return { receipt: item }
    })
    await mesh.close(issuer)
    await advanceBy(mesh, 13 * minute)
    expect((await buyOnce(mesh, desk)).kind).toBe('ok')
    await advanceBy(mesh, 3 * minute)
    for (const node of [counter, desk])
      expect(node.health()).toMatchObject({ ready: false, reasons: ['the credential is expired'] })
    const refused = await buyOnce(mesh, desk)
    expect(refused.kind).toBe('refused')
    expect(['identity.credential-expired', 'mesh.no-provider']).toContain('code' in refused ? refused.code : '')
    expect(served).toBe(1)
    await advanceBy(mesh, 4 * minute)
    await mesh.openIssuer()
    await advanceBy(mesh, minute, 5_000)
    for (const node of [counter, desk]) expect(node.health()).toMatchObject({ ready: true, reasons: [] })
    expect((await buyOnce(mesh, desk)).kind).toBe('ok')
  })

  it('leaves an instance out for good once its grace is over, or an order names it', async () => {
    await using mesh = await openIssuedMesh({ ...seldom, credentialMs: 15 * minute })
    const issuer = await mesh.openIssuer()
    const { counter, desk } = await startPair(mesh)
    await mesh.close(issuer)
    await advanceBy(mesh, 16 * minute)
    const order = await mesh.acme.order('revoke', counter.instance)
    const again = await mesh.openIssuer({ orders: [order] })
    await advanceBy(mesh, minute, 5_000)
    expect(counter.health().ready).toBe(false)
    expect(desk.health().ready).toBe(true)
    await mesh.close(again)
    await advanceBy(mesh, 17 * minute)
    await mesh.openIssuer({ renewGraceMs: minute })
    await advanceBy(mesh, minute, 5_000)
    expect(desk.health().ready).toBe(false)
  })
})
