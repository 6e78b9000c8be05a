import { createManualClock, createSeededRandom, type ManualClock } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Evidence } from './evidence.ts'
import { createMemoryStore, type MemoryStore } from './memory-store.fixture.ts'
import {
  openTrustLedger,
  type Observation,
  type TierChange,
  type TrustLedger,
  type TrustLedgerOptions,
} from './trust-ledger.ts'

const peer = 'did:web:sky.example sky/flights'
const capability = 'flights:reserve'

interface Setting {
  readonly ledger: TrustLedger
  readonly store: MemoryStore
  readonly clock: ManualClock
  readonly changes: TierChange[]
  /** Observes the same outcome `times` times, each with its own id. */
  readonly observe: (change: Partial<Evidence>, times?: number) => Observation
}

async function open(options: Partial<TrustLedgerOptions> = {}): Promise<Setting> {
  const store = createMemoryStore()
  const clock = createManualClock()
  const changes: TierChange[] = []
  const ledger = await openTrustLedger({
    store,
    clock,
    startScoreOf: () => 500,
    onTierChange: (change) => changes.push(change),
    ...options,
  })
  let count = 0
  return {
    ledger,
    store,
    clock,
    changes,
    observe(change, times = 1) {
      let result: Observation = { kind: 'neutral' }
      for (let time = 0; time < times; time++) {
        const id = `evidence-${String(++count)}`
        result = ledger.observe({
          id,
          atMs: clock.now(),
          peer,
          capability,
          role: 'callee',
          outcome: 'ok',
          ...change,
        })
      }
      return result
    },
  }
}

describe('openTrustLedger', () => {
  it('gives a peer without evidence its start score', async () => {
    const { ledger } = await open({ startScoreOf: (key) => (key === peer ? 500 : 300) })
    expect(ledger.view(peer)).toEqual({ score: 500, tier: 'standard', evidenceCount: 0 })
    expect(ledger.view('other')).toEqual({ score: 300, tier: 'probationary', evidenceCount: 0 })
    const plain = await openTrustLedger({ store: createMemoryStore(), clock: createManualClock() })
    expect(plain.view(peer).score).toBe(300)
  })

  it('trusts nobody whose start score is not a score', async () => {
    for (const start of [Number.NaN, -1, 1001]) {
      const { ledger } = await open({ startScoreOf: () => start })
      expect(ledger.view(peer)).toMatchObject({ score: 0, tier: 'untrusted' })
    }
  })

  it('tells when a peer leaves or enters a tier', async () => {
    const { observe, changes } = await open()
    observe({ outcome: 'failed' }, 3)
    expect(changes).toMatchObject([{ peer, from: 'standard', to: 'probationary', score: 473 }])
    observe({ outcome: 'ok' }, 3)
    expect(changes).toMatchObject([{}, { from: 'probationary', to: 'standard' }])
  })

  it('folds the same scores when it is opened again, whatever the start score is then', async () => {
    const outcomes = ['ok', 'declined', 'failed', 'refused', 'unknown'] as const
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async (seed) => {
        const random = createSeededRandom(seed)
        const { ledger, store, clock, observe } = await open()
        const pick = (count: number): number => Math.floor(random.float() * count)
        for (let step = 0; step < 60; step++) {
          observe({
            peer: `did:web:a.example a/${String(pick(3))}`,
            capability: pick(2) === 0 ? capability : 'cars:rent',
            role: pick(2) === 0 ? 'callee' : 'caller',
            outcome: outcomes[pick(outcomes.length)] ?? 'ok',
          })
          clock.jump(pick(3_600_000))
        }
        ledger.pin('did:web:a.example a/1', 640, { reason: 'known well', untilMs: clock.now() + 1000 })
        await ledger.close()
        const again = await openTrustLedger({ store, clock, startScoreOf: () => 100 })
        for (const agent of ['0', '1', '2']) {
          const key = `did:web:a.example a/${agent}`
          if (again.explain(key).evidenceCount === 0) continue
          expect(again.explain(key)).toEqual(ledger.explain(key))
          expect(again.view(key, { capability: 'cars:rent' })).toEqual(ledger.view(key, { capability: 'cars:rent' }))
        }
      }),
      { seed: 9, numRuns: 20 },
    )
  })

  it('rejects a stream that holds anything else', async () => {
    for (const text of [
      '{',
      '{"model":"other/1","records":[]}',
      '{"model":"parley-trust/1","records":[{"kind":"x"}]}',
    ]) {
      const store = createMemoryStore()
      store.plant('trust', new TextEncoder().encode(text))
      await expect(openTrustLedger({ store, clock: createManualClock() })).rejects.toMatchObject({
        code: 'store.corrupt',
        details: { position: 1 },
      })
    }
  })
})

describe('observe', () => {
  it('folds an id once, also after it was opened again', async () => {
    const { ledger, store, clock, observe } = await open()
    observe({ id: 'same', outcome: 'failed' })
    expect(observe({ id: 'same', outcome: 'failed' })).toEqual({ kind: 'duplicate' })
    expect(ledger.view(peer)).toMatchObject({ score: 490, evidenceCount: 1 })
    await ledger.close()
    const again = await openTrustLedger({ store, clock })
    const evidence = { id: 'same', atMs: clock.now(), peer, capability, role: 'callee', outcome: 'failed' } as const
    expect(again.observe(evidence)).toEqual({ kind: 'duplicate' })
  })

  it('refuses evidence from the future, from long ago, or malformed', async () => {
    const { ledger, clock, observe } = await open()
    const refused = { kind: 'deny', code: 'trust.entry-refused' }
    expect(observe({ atMs: clock.now() + 60_001 })).toMatchObject(refused)
    expect(observe({ atMs: clock.now() - 300_001 })).toMatchObject(refused)
    expect(observe({ atMs: Number.NaN })).toMatchObject(refused)
    expect(observe({ capability: 'flights' })).toMatchObject(refused)
    expect(observe({ peer: '' })).toMatchObject(refused)
    expect(observe({ id: 'x'.repeat(513) })).toMatchObject(refused)
    expect(observe({ outcome: 'great' as 'ok' })).toMatchObject(refused)
    expect(observe({ atMs: clock.now() + 60_000 })).toMatchObject({ kind: 'taken' })
    expect(ledger.view(peer).evidenceCount).toBe(1)
  })

  it('holds nothing against a peer for what nobody decided', async () => {
    const { ledger, observe } = await open()
    expect(observe({ outcome: 'unknown', code: 'deadline.exceeded' }, 100)).toEqual({ kind: 'neutral' })
    expect(observe({ role: 'caller', outcome: 'refused', code: 'identity.signature-invalid' })).toEqual({
      kind: 'neutral',
    })
    expect(ledger.view(peer)).toEqual({ score: 500, tier: 'standard', evidenceCount: 0 })
  })

  it('refuses peers beyond its bound and keeps scoring those it has', async () => {
    const { ledger, observe } = await open({ maxPeers: 1 })
    observe({ outcome: 'failed' })
    expect(observe({ peer: 'other', outcome: 'failed' })).toMatchObject({ code: 'trust.entry-refused' })
    expect(ledger.view('other').score).toBe(500)
    expect(observe({ outcome: 'failed' })).toMatchObject({ kind: 'taken', score: 481 })
  })
})

describe('view', () => {
  it('never exceeds the ceiling that it is given, in score or tier', async () => {
    const { ledger, observe } = await open()
    observe({}, 20)
    expect(ledger.view(peer)).toMatchObject({ score: 699, tier: 'standard' })
    expect(ledger.view(peer, { ceiling: 490 })).toMatchObject({ score: 490, tier: 'probationary' })
    expect(ledger.view(peer, { ceiling: Number.NaN })).toMatchObject({ score: 0, tier: 'untrusted' })
  })

  it('scores a capability apart once it has evidence', async () => {
    const { ledger, observe } = await open()
    observe({ outcome: 'failed' }, 3)
    expect(ledger.view(peer, { capability: 'cars:rent' }).score).toBe(473)
    observe({ capability: 'cars:rent' })
    const rented = ledger.view(peer, { capability: 'cars:rent' }).score
    expect(rented).toBeGreaterThan(473)
    observe({ outcome: 'failed' })
    expect(ledger.view(peer, { capability: 'cars:rent' }).score).toBe(rented)
    expect(ledger.view(peer, { capability }).score).toBeLessThan(473)
  })
})

describe('explain', () => {
  it('lists what moved a score and what would raise it', async () => {
    const { ledger, observe } = await open()
    observe({ outcome: 'failed' }, 5)
    const { score, moved, raise, dimensions } = ledger.explain(peer)
    expect(moved).toHaveLength(5)
    expect(moved[0]).toMatchObject({ evidence: 'evidence-1', what: `failed as callee of ${capability}`, before: 500 })
    expect(moved[4]?.what).toContain('an incident: 5 faults in a row')
    expect(moved[4]?.after).toBe(score)
    expect(dimensions.outputQuality).toBeLessThan(dimensions.policyCompliance)
    expect(raise[0]).toBe(`${String(500 - score)} points more reach the tier standard`)
    expect(raise.join()).toContain('good outcomes in outputQuality')
  })

  it('names the ceiling that holds a good peer down', async () => {
    const { ledger, observe } = await open()
    observe({}, 40)
    expect(ledger.explain(peer).raise[0]).toBe('10 more verified outcomes lift the ceiling of 699')
    expect(ledger.explain(peer).moved).toHaveLength(10)
  })
})

describe('pin', () => {
  it('holds a score until it ends, under the ceiling, and is on the record', async () => {
    const { ledger, store, clock, changes } = await open()
    const untilMs = clock.now() + 1000
    expect(ledger.pin(peer, 950, { reason: 'audited', untilMs })).toEqual({ kind: 'allow' })
    expect(ledger.view(peer)).toMatchObject({ score: 950, tier: 'verified' })
    expect(ledger.view(peer, { ceiling: 600 })).toMatchObject({ score: 600, tier: 'standard' })
    expect(changes).toMatchObject([{ from: 'standard', to: 'verified' }])
    expect(ledger.explain(peer).raise[0]).toContain('audited')
    await ledger.flush()
    const again = await openTrustLedger({ store, clock })
    expect(again.view(peer).score).toBe(950)
    await clock.advance(1000)
    expect(ledger.view(peer)).toMatchObject({ score: 500, tier: 'standard' })
  })

  it('is lifted by one that is over, and refuses what is no score', async () => {
    const { ledger, clock } = await open()
    ledger.pin(peer, 0, { reason: 'under suspicion', untilMs: clock.now() + 1000 })
    expect(ledger.view(peer).tier).toBe('untrusted')
    ledger.pin(peer, 0, { reason: 'cleared', untilMs: clock.now() })
    expect(ledger.view(peer).score).toBe(500)
    for (const score of [-1, 1001, Number.NaN]) {
      expect(ledger.pin(peer, score, { reason: 'x', untilMs: clock.now() })).toMatchObject({ kind: 'deny' })
    }
  })
})

describe('flush', () => {
  it('writes what was observed, and the ledger writes by itself soon after', async () => {
    const { ledger, store, clock, observe } = await open()
    observe({})
    expect(await store.journal.last('trust')).toBe(0)
    await ledger.flush()
    expect(await store.journal.last('trust')).toBe(1)
    observe({}, 3)
    await clock.advance(100)
    expect(await store.journal.last('trust')).toBe(2)
  })

  it('tries again while the store cannot write and loses nothing', async () => {
    const { ledger, store, clock, observe } = await open()
    store.failNext(new MeshError('store.write-failed', 'the disk is full'))
    observe({ outcome: 'failed' })
    await clock.advance(100)
    expect(await store.journal.last('trust')).toBe(0)
    await clock.advance(1000)
    expect((await openTrustLedger({ store, clock })).view(peer)).toEqual(ledger.view(peer))
    expect(ledger.view(peer).score).toBe(490)
  })

  it('takes no more once another process writes the stream', async () => {
    const { ledger, store, observe } = await open()
    store.plant('trust', new TextEncoder().encode('{}'))
    observe({})
    await expect(ledger.flush()).rejects.toMatchObject({ code: 'store.position-conflict' })
    expect(observe({})).toMatchObject({ kind: 'deny', code: 'trust.entry-refused' })
    await expect(ledger.flush()).rejects.toMatchObject({ code: 'store.position-conflict' })
  })

  it('refuses evidence when too much waits for the store', async () => {
    const { observe, ledger } = await open()
    expect(observe({}, 10_000)).toMatchObject({ kind: 'taken' })
    expect(observe({})).toMatchObject({ kind: 'deny', code: 'trust.entry-refused' })
    await ledger.flush()
    expect(observe({})).toMatchObject({ kind: 'taken' })
  })
})

describe('close', () => {
  it('writes the rest and takes no more', async () => {
    const { ledger, store, observe } = await open()
    observe({})
    await ledger.close()
    await ledger.close()
    expect(await store.journal.last('trust')).toBe(1)
    expect(() => observe({})).toThrow(expect.objectContaining({ code: 'store.closed' }))
  })
})
