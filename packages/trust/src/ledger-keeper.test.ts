import { createSeededRandom } from '@parley/ports'
import { isMeshError } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryStore } from './memory-store.fixture.ts'
import { createTrustModel } from './trust-model.ts'
import { capability, openTrustLab, peer } from './trust-lab.fixture.ts'

const hourMs = 3_600_000
const outcomes = ['ok', 'declined', 'failed', 'refused', 'unknown'] as const

describe('openLedgerKeeper', () => {
  it('folds the same when it is opened again: from its pages, from the stream alone, and from both', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async (seed) => {
        const random = createSeededRandom(seed)
        const { ledger, store, clock, observe, reopen } = await openTrustLab()
        const pick = (count: number): number => Math.floor(random.float() * count)
        for (let step = 0; step < 60; step++) {
          observe({
            peer: `did:web:a.example a/${String(pick(3))}`,
            capability: pick(2) === 0 ? capability : 'cars:rent',
            role: pick(2) === 0 ? 'callee' : 'caller',
            outcome: outcomes[pick(outcomes.length)] ?? 'ok',
          })
          clock.jump(pick(hourMs))
          if (pick(20) === 0) await ledger.snapshot()
        }
        ledger.pin('did:web:a.example a/1', 640, { reason: 'known well', untilMs: clock.now() + 1000 })
        await ledger.flush()
        const stream = store.copy()
        for (const { key } of await stream.keyValue.list('')) await stream.keyValue.delete(key)
        const crashed = store.copy()
        await ledger.close()
        for (const copy of [store, stream, crashed]) {
          const again = await reopen({ store: copy, isVouched: () => false })
          for (const key of ['0', '1', '2'].map((name) => `did:web:a.example a/${name}`)) {
            await again.enter(key)
            if (ledger.view(key).evidenceCount === 0) continue
            expect(again.explain(key)).toEqual(ledger.explain(key))
            expect(again.view(key, { capability: 'cars:rent' })).toEqual(ledger.view(key, { capability: 'cars:rent' }))
          }
        }
      }),
      { seed: 9, numRuns: 20 },
    )
  })

  it('loses nothing that was durable, whichever write is the last one', async () => {
    const live = async (store = createMemoryStore()): Promise<[number, typeof store]> => {
      const { ledger, observe, clock } = await openTrustLab({ store, maxPeers: 2 })
      let durable = 0
      try {
        for (let round = 0; round < 4; round++) {
          for (const name of ['a', 'b', 'c']) {
            await ledger.enter(`did:web:x.example x/${name}`)
            observe({ peer: `did:web:x.example x/${name}`, outcome: 'failed' })
          }
          await ledger.flush()
          durable = round + 1
          clock.jump(1000)
          if (round % 2 === 1) await ledger.snapshot()
        }
        await ledger.close()
      } catch (error) {
        if (!isMeshError(error) || error.code !== 'store.closed') throw error
      }
      return [durable, store]
    }
    const [, whole] = await live()
    for (let writes = 0; writes < whole.writes; writes++) {
      const store = createMemoryStore()
      store.crashAfter(writes)
      const [durable] = await live(store)
      const { ledger, reopen } = await openTrustLab({ store: store.copy() })
      const recomputed = store.copy()
      for (const { key } of await recomputed.keyValue.list('')) await recomputed.keyValue.delete(key)
      const fromStream = await reopen({ store: recomputed })
      for (const name of ['a', 'b', 'c']) {
        const key = `did:web:x.example x/${name}`
        await ledger.enter(key)
        expect(ledger.view(key).evidenceCount).toBeGreaterThanOrEqual(durable)
        expect(ledger.explain(key)).toEqual(fromStream.explain(key))
      }
    }
  })

  it('folds everything anew under another model', async () => {
    const { ledger, observe, reopen } = await openTrustLab()
    observe({ outcome: 'failed' }, 4)
    await ledger.close()
    const weights = {
      policyCompliance: 0.1,
      securityPosture: 0.1,
      outputQuality: 0.6,
      resourceEfficiency: 0.1,
      collaborationHealth: 0.1,
    }
    const strict = await reopen({ model: createTrustModel({ weights }) })
    expect(strict.view(peer).score).toBeLessThan(ledger.view(peer).score)
    expect(strict.view(peer).evidenceCount).toBe(4)
    expect(strict.explain(peer).model).not.toBe(ledger.explain(peer).model)
  })

  it('rejects a stream that holds anything else, that was changed, or that lost its end', async () => {
    const { ledger, store, observe, reopen } = await openTrustLab()
    observe({ outcome: 'failed' }, 3)
    await ledger.flush()
    observe({ outcome: 'failed' }, 3)
    await ledger.close()
    const planted = store.copy()
    planted.plant('trust', new TextEncoder().encode('{'))
    const cut = store.copy()
    cut.cut('trust', 1)
    const changed = createMemoryStore()
    for (const { data } of await store.journal.read('trust')) {
      const text = Buffer.from(data).toString('latin1').replace('callee failed', 'callee ok')
      changed.plant('trust', Buffer.from(text, 'latin1'))
    }
    const swapped = createMemoryStore()
    for (const { data } of (await store.journal.read('trust')).slice(1)) swapped.plant('trust', data)
    for (const bad of [planted, cut, changed, swapped])
      await expect(reopen({ store: bad })).rejects.toMatchObject({ code: 'store.corrupt' })
  })

  it('says nothing of a peer whose page is damaged, in the place of letting it start anew', async () => {
    const { ledger, store, observe, reopen } = await openTrustLab()
    observe({ outcome: 'failed' }, 40)
    await ledger.close()
    const [page] = await store.keyValue.list('trust/page/')
    const [owner] = await store.keyValue.list('trust/owner/')
    const text = Buffer.from(page?.value ?? []).toString()
    for (const [key, damaged] of [
      [page?.key, text.slice(0, -2)],
      [page?.key, text.replace('"standings":[{', '"standings":[],"x":[{')],
      [page?.key, text.replaceAll(peer, 'did:web:sky.example sky/other')],
      [owner?.key, '{}'],
      [owner?.key, '['],
    ] as const) {
      const copy = store.copy()
      await copy.keyValue.put(key ?? '', Buffer.from(damaged))
      const again = await reopen({ store: copy })
      await expect(Promise.resolve(again.enter(peer))).rejects.toMatchObject({ code: 'store.corrupt' })
      expect(again.view(peer)).toEqual({ score: 0, tier: 'untrusted', evidenceCount: 0 })
    }
  })
})
