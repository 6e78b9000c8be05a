import { createManualClock, silentLogger } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import type { OwnerWord } from './owner-word.ts'
import { openTrustLedger } from './trust-ledger.ts'
import { capability, openTrustLab, peer, rater, verifyToy } from './trust-lab.fixture.ts'

const hourMs = 3_600_000

describe('openTrustLedger', () => {
  it('gives a peer without evidence its start score', async () => {
    const { ledger } = await openTrustLab({ isVouched: (key) => key === peer })
    expect(ledger.view(peer)).toEqual({ score: 500, tier: 'standard', evidenceCount: 0 })
    expect(ledger.view('other')).toEqual({ score: 300, tier: 'probationary', evidenceCount: 0 })
  })

  it('starts a new name of an owner where its other names are, if that is lower', async () => {
    const { ledger, observe, reopen } = await openTrustLab()
    for (const name of ['sky/a', 'sky/b', 'sky/c'])
      observe({ peer: `did:web:sky.example ${name}`, outcome: 'failed' }, 12)
    expect(ledger.view('did:web:sky.example sky/new').score).toBeLessThan(400)
    expect(ledger.view('did:web:other.example other/new').score).toBe(500)
    await ledger.close()
    const again = await reopen()
    await again.enter('did:web:sky.example sky/new')
    expect(again.view('did:web:sky.example sky/new').score).toBeLessThan(400)
  })

  it('does not hold a first failure of one name against the next one', async () => {
    const { ledger, observe } = await openTrustLab()
    observe({ outcome: 'failed' })
    expect(ledger.view('did:web:sky.example sky/new')).toMatchObject({ score: 500, tier: 'standard' })
  })

  it('tells when a peer leaves or enters a tier', async () => {
    const { observe, changes } = await openTrustLab()
    observe({ outcome: 'failed' }, 3)
    expect(changes).toMatchObject([{ peer, from: 'standard', to: 'probationary', score: 473 }])
    observe({ outcome: 'ok' }, 3)
    expect(changes).toMatchObject([{}, { from: 'probationary', to: 'standard' }])
  })

  it('reads without a signer and writes nothing', async () => {
    const { ledger, store, observe, reopen } = await openTrustLab()
    observe({ outcome: 'failed' })
    await ledger.close()
    const { signer: _, ...options } = { store, clock: createManualClock(), rater, verify: verifyToy, signer: undefined }
    const reader = await openTrustLedger(options)
    await reader.enter(peer)
    const before = store.writes
    expect(reader.view(peer).score).toBe(490)
    expect(reader.observe({ peer, capability, role: 'callee', outcome: 'ok' })).toMatchObject({
      code: 'trust.entry-refused',
    })
    await reader.close()
    expect(store.writes).toBe(before)
    const anybody = await openTrustLedger({ ...options, isRecomputed: true })
    expect(anybody.explain(peer)).toEqual(reader.explain(peer))
    await (await reopen()).close()
  })
})

describe('observe', () => {
  it('folds an envelope once for each side, also after it was opened again', async () => {
    const { ledger, observe, reopen } = await openTrustLab()
    observe({ envelope: 'same', outcome: 'failed' })
    const twice = { code: 'trust.evidence-duplicate' }
    expect(observe({ envelope: 'same', outcome: 'failed' })).toMatchObject(twice)
    expect(observe({ envelope: 'same', role: 'caller' })).toMatchObject({ kind: 'taken' })
    expect(ledger.view(peer)).toMatchObject({ evidenceCount: 2 })
    await ledger.close()
    const again = await reopen()
    await again.enter(peer)
    expect(again.observe({ envelope: 'same', peer, capability, role: 'callee', outcome: 'failed' })).toMatchObject(
      twice,
    )
  })

  it('refuses what is malformed, out of range, or about the rater itself', async () => {
    const { ledger, observe } = await openTrustLab()
    const invalid = { kind: 'deny', code: 'trust.evidence-invalid' }
    expect(observe({ capability: 'flights' })).toMatchObject(invalid)
    expect(observe({ peer: '' })).toMatchObject(invalid)
    expect(observe({ peer: 'lone \ud800' })).toMatchObject(invalid)
    expect(observe({ envelope: 'x'.repeat(513) })).toMatchObject(invalid)
    expect(observe({ outcome: 'great' as 'ok' })).toMatchObject(invalid)
    for (const value of [-0.1, 1.1, Number.NaN])
      expect(ledger.observe({ peer, capability, dimension: 'outputQuality', value })).toMatchObject(invalid)
    for (const severity of [0, 1.1])
      expect(ledger.observe({ peer, capability, incident: 'leak', severity })).toMatchObject(invalid)
    expect(observe({ peer: rater })).toMatchObject({ code: 'trust.self-evidence' })
    expect(ledger.view(peer).evidenceCount).toBe(0)
  })

  it('holds nothing against a peer for what nobody decided', async () => {
    const { ledger, observe } = await openTrustLab()
    expect(observe({ outcome: 'unknown', code: 'deadline.exceeded' }, 100)).toEqual({ kind: 'neutral' })
    expect(observe({ role: 'caller', outcome: 'refused', code: 'identity.signature-invalid' })).toEqual({
      kind: 'neutral',
    })
    expect(ledger.view(peer)).toEqual({ score: 500, tier: 'standard', evidenceCount: 0 })
  })

  it('cuts at once for an incident and moves one dimension for a measure', async () => {
    const { ledger } = await openTrustLab()
    ledger.observe({ peer, capability, incident: 'data-leaked', severity: 1 })
    expect(ledger.view(peer).score).toBe(400)
    ledger.observe({ peer, capability, dimension: 'resourceEfficiency', value: 1 })
    expect(ledger.explain(peer).dimensions).toMatchObject({ resourceEfficiency: 46, outputQuality: 40 })
    expect(ledger.explain(peer).moved.map(({ what }) => what)).toEqual([
      `an incident of ${capability}`,
      `resourceEfficiency as it was measured of ${capability}`,
    ])
  })

  it('scores more peers than it has room for, and trusts nothing of one that it has not read', async () => {
    const { ledger, store, clock, reopen } = await openTrustLab({ maxPeers: 3 })
    const keyOf = (at: number): string => `did:web:p${String(at)}.example p/a`
    const failed = { capability, role: 'callee', outcome: 'failed' } as const
    for (let at = 0; at < 40; at++) {
      await ledger.enter(keyOf(at))
      ledger.observe({ peer: keyOf(at), ...failed })
    }
    expect(ledger.view(keyOf(0))).toEqual({ score: 0, tier: 'untrusted', evidenceCount: 0 })
    expect(ledger.observe({ peer: keyOf(0), ...failed })).toEqual({ kind: 'queued' })
    await clock.settle()
    await ledger.enter(keyOf(0))
    expect(ledger.view(keyOf(0))).toMatchObject({ score: 481, evidenceCount: 2 })
    await ledger.close()
    const again = await reopen({ store: store.copy(), maxPeers: 100 })
    for (let at = 0; at < 40; at++) {
      await again.enter(keyOf(at))
      expect(again.view(keyOf(at)).score).toBe(at === 0 ? 481 : 490)
    }
  })

  it('tells of what it refused after it had to read the peer first', async () => {
    const told: unknown[] = []
    const logger = { ...silentLogger, warn: (event: string, fields: unknown) => void told.push([event, fields]) }
    const { ledger, clock, observe } = await openTrustLab({ maxPeers: 1, logger })
    observe({ envelope: 'e' })
    await ledger.enter('did:web:x.example x/other')
    for (const _ of [1, 2]) expect(observe({ envelope: 'f' })).toEqual({ kind: 'queued' })
    await clock.settle()
    expect(told).toEqual([['trust.not-observed', { peer, code: 'trust.evidence-duplicate' }]])
  })

  it('lets nobody who is refused fill the book with names of capabilities', async () => {
    const { ledger, observe } = await openTrustLab()
    for (let at = 0; at < 100; at++)
      observe({ role: 'caller', outcome: 'refused', code: 'policy.denied', capability: `a:b${String(at)}` })
    expect(ledger.explain(peer).capabilities).toEqual({})
  })
})

describe('view', () => {
  it('never exceeds the ceiling that it is given, in score or tier', async () => {
    const { ledger, observe } = await openTrustLab()
    observe({}, 20)
    expect(ledger.view(peer)).toMatchObject({ score: 699, tier: 'standard' })
    expect(ledger.view(peer, { ceiling: 490 })).toMatchObject({ score: 490, tier: 'probationary' })
    expect(ledger.view(peer, { ceiling: Number.NaN })).toMatchObject({ score: 0, tier: 'untrusted' })
  })

  it('scores a capability apart once it has evidence', async () => {
    const { ledger, observe } = await openTrustLab()
    observe({ outcome: 'failed' }, 3)
    expect(ledger.view(peer, { capability: 'cars:rent' }).score).toBe(473)
    observe({ capability: 'cars:rent' })
    const rented = ledger.view(peer, { capability: 'cars:rent' }).score
    expect(rented).toBeGreaterThan(473)
    observe({ outcome: 'failed' })
    expect(ledger.view(peer, { capability: 'cars:rent' }).score).toBe(rented)
    expect(ledger.view(peer, { capability }).score).toBeLessThan(473)
  })

  it('counts only the hours in which the rater ran as idle', async () => {
    const { ledger, clock, observe, reopen, store } = await openTrustLab()
    for (let call = 0; call < 600; call++) {
      observe({})
      clock.jump(hourMs / 20)
    }
    const earned = ledger.view(peer).score
    expect(earned).toBeGreaterThan(950)
    await ledger.close()
    clock.jump(1000 * hourMs)
    const again = await reopen({ store })
    await again.enter(peer)
    expect(again.view(peer).score).toBe(earned)
    clock.jump(10 * hourMs)
    expect(again.view(peer).score).toBe(earned - 20)
  })
})

describe('explain', () => {
  it('lists what moved a score, by whom it was seen, and what would raise it', async () => {
    const { ledger, observe } = await openTrustLab()
    observe({ outcome: 'failed' }, 5)
    const { score, moved, raise, dimensions } = ledger.explain(peer)
    expect(moved).toHaveLength(5)
    expect(moved[0]).toMatchObject({
      rater,
      seq: 1,
      what: `failed as callee of ${capability}`,
      before: 500,
      after: 490,
    })
    expect(moved[4]?.what).toContain('an incident: 5 faults in a row')
    expect(moved[4]?.after).toBe(score)
    expect(dimensions.outputQuality).toBeLessThan(dimensions.policyCompliance)
    expect(raise[0]).toBe(`${String(500 - score)} points more reach the tier standard`)
    expect(raise.join()).toContain('good outcomes in outputQuality')
  })

  it('says until when a pin or a quarantine holds, and counts from the record only for afterwards', async () => {
    const { ledger, observe, clock } = await openTrustLab({
      ordersAbout: (asked, nowMs) =>
        asked === peer ? { quarantine: { reason: 'broken in', untilMs: nowMs + 1_000 } } : undefined,
    })
    observe({ outcome: 'failed' }, 1)
    const untilMs = clock.now() + hourMs
    ledger.pin(peer, 900, { reason: 'audited', untilMs })
    const at = (ms: number): string => new Date(ms).toISOString()
    const { score, raise } = ledger.explain(peer)
    expect(score).toBe(900)
    expect(raise.slice(0, 2)).toEqual([
      `an operator pinned it at 900 until ${at(untilMs)} (audited): no evidence moves it until then`,
      `its owner put it in quarantine until ${at(clock.now() + 1_000)} (broken in): refused until then, whatever its score`,
    ])
    expect(raise[2]).toBe('after the pin, from 490: 10 points more reach the tier standard')
    expect(raise.slice(2).every((each) => each.startsWith('after the pin, from 490: '))).toBe(true)
    expect(raise.join()).not.toMatch(/\d{13}/)
    clock.jump(hourMs)
    expect(ledger.explain(peer).raise.join()).not.toContain('pin')
  })

  it('names the ceiling that holds a good peer down', async () => {
    const { ledger, observe } = await openTrustLab()
    observe({}, 40)
    expect(ledger.explain(peer).raise[0]).toBe('10 more verified outcomes lift the ceiling of 699')
    expect(ledger.explain(peer).moved).toHaveLength(8)
  })
})

describe('ordersAbout', () => {
  it("gives a peer the score that its owner ordered, below the earned ceiling, and below an operator's pin", async () => {
    let score = 100
    const ordered = (untilMs: number): OwnerWord => ({ pin: { score, reason: 'audited', untilMs } })
    const { ledger, clock, observe } = await openTrustLab({
      ordersAbout: (asked, nowMs) => (asked === peer ? ordered(nowMs + 1) : undefined),
    })
    expect(ledger.view(peer)).toMatchObject({ score: 100, tier: 'untrusted', evidenceCount: 0 })
    expect(observe({})).toMatchObject({ score: 100 })
    expect(ledger.view('did:web:sky.example sky/other').score).toBe(500)
    score = 1000
    expect(ledger.view(peer)).toMatchObject({ score: 699, tier: 'standard' })
    expect(ledger.view(peer, { ceiling: 400 })).toMatchObject({ score: 400, tier: 'probationary' })
    expect(ledger.explain(peer).raise[0]).toContain('its owner pinned it at 1000')
    ledger.pin(peer, 800, { reason: 'mine', untilMs: clock.now() + 1_000 })
    expect(ledger.view(peer)).toMatchObject({ score: 800, tier: 'trusted' })
  })
})

describe('pin', () => {
  it('holds a score until it ends, under the ceiling, and is on the record', async () => {
    const { ledger, clock, changes, reopen, store } = await openTrustLab()
    const untilMs = clock.now() + 1000
    expect(ledger.pin(peer, 950, { reason: 'audited', untilMs })).toEqual({ kind: 'allow' })
    expect(ledger.view(peer)).toMatchObject({ score: 950, tier: 'verified' })
    expect(ledger.view(peer, { ceiling: 600 })).toMatchObject({ score: 600, tier: 'standard' })
    expect(changes).toMatchObject([{ from: 'standard', to: 'verified' }])
    expect(ledger.explain(peer).raise[0]).toContain('audited')
    await ledger.flush()
    expect((await reopen({ store: store.copy() })).view(peer).score).toBe(950)
    await ledger.close()
    const again = await reopen()
    await again.enter(peer)
    expect(again.view(peer).score).toBe(950)
    clock.jump(1000)
    expect(again.view(peer).score).toBe(500)
  })

  it('refuses a score that is none', async () => {
    const { ledger, clock } = await openTrustLab()
    for (const score of [-1, 1001, Number.NaN])
      expect(ledger.pin(peer, score, { reason: 'x', untilMs: clock.now() })).toMatchObject({ kind: 'deny' })
  })
})
