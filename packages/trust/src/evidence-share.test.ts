import { createManualClock, createSeededRandom, systemHash } from '@parley/ports'
import { signingDomains } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatBatch, sealBatch } from './evidence-batch.ts'
import { parseSight } from './sight.ts'
import { openTrustLedger, type TrustLedger } from './trust-ledger.ts'
import { createMemoryStore } from './memory-store.fixture.ts'
import { capability, createToySigner, openTrustLab, peer, verifyToy, type TrustLab } from './trust-lab.fixture.ts'

const owner = 'did:web:desk.example'
const raterA = `${owner} desk/a`
const raterB = `${owner} desk/b`
const foreign = 'did:web:other.example other/rater'

const nothing = { seq: 0, last: '' }

/** A lab that shares, and signs with a key named after its rater. */
function openSharing(rater: string, more: Partial<Parameters<typeof openTrustLab>[0]> = {}): Promise<TrustLab> {
  return openTrustLab({ rater, isShared: true, signer: createToySigner(didOf(rater)), ...more })
}

function didOf(rater: string): string {
  return `did:key:z${rater.replace(/\W/g, '')}`
}

function from(rater: string): { readonly rater: string; readonly did: string } {
  return { rater, did: didOf(rater) }
}

describe('takeShared', () => {
  it('gives two nodes of one owner with the same evidence the same scores, in whatever order it came to them', async () => {
    const outcomes = ['ok', 'failed', 'declined'] as const
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async (seed) => {
        const random = createSeededRandom(seed)
        const pick = (count: number): number => Math.floor(random.float() * count)
        const clock = createManualClock()
        const labs = [await openSharing(raterA, { clock }), await openSharing(raterB, { clock })] as const
        const peers = [0, 1, 2].map((name) => `did:web:p.example p/${String(name)}`)
        const exchange = async (): Promise<void> => {
          for (const [mine, theirs, rater] of [
            [labs[0], labs[1], raterB],
            [labs[1], labs[0], raterA],
          ] as const)
            for (const sealed of (await theirs.ledger.listShared(mine.ledger.sharedUpTo(rater))).batches)
              expect(await mine.ledger.takeShared(sealed, from(rater))).toMatchObject({ kind: 'taken' })
        }
        for (let step = 0; step < 40; step++) {
          const lab = labs[pick(2)] ?? labs[0]
          for (let count = pick(6); count > 0; count--)
            lab.observe({ peer: peers[pick(3)] ?? peer, outcome: outcomes[pick(3)] ?? 'ok' })
          await lab.ledger.flush()
          clock.jump(pick(3) === 0 ? 0 : pick(40_000))
          if (step % 6 === 5 || pick(4) === 0) await exchange()
          if (pick(10) === 0) await lab.ledger.snapshot()
        }
        await exchange()
        const views = async (ledger: TrustLedger): Promise<unknown[]> => {
          for (const one of peers) await ledger.enter(one)
          return peers.map((one) => {
            const { dimensions, evidenceCount, score, moved } = ledger.explain(one)
            return { dimensions, evidenceCount, score, moved }
          })
        }
        expect(await views(labs[0].ledger)).toEqual(await views(labs[1].ledger))
        await labs[0].ledger.flush()
        const again = await labs[0].reopen({ store: labs[0].store.copy() })
        expect(await views(again)).toEqual(await views(labs[1].ledger))
      }),
      { seed: 11, numRuns: 30 },
    )
  })

  it('counts what a rater of its own owner saw as it does itself', async () => {
    const [mine, theirs] = [await openSharing(raterA), await openSharing(raterB)]
    theirs.observe({ outcome: 'failed' }, 3)
    await theirs.ledger.flush()
    expect(await mine.ledger.takeShared(theirs.shared[0] ?? new Uint8Array(), from(raterB))).toMatchObject({
      kind: 'taken',
      taken: 3,
    })
    expect(mine.ledger.view(peer)).toMatchObject({ score: 473, evidenceCount: 3 })
    expect(mine.ledger.explain(peer).moved[0]).toMatchObject({ rater: raterB, seq: 1 })
  })

  it('lets what another owner tells move a score by a few points, and not by many tellings', async () => {
    const [mine, theirs] = [await openSharing(raterA), await openSharing(foreign)]
    theirs.observe({ outcome: 'failed' }, 300)
    await theirs.ledger.flush()
    await mine.ledger.takeShared(theirs.shared[0] ?? new Uint8Array(), from(foreign))
    await mine.ledger.enter(foreign)
    const clean = await openSharing(raterA)
    clean.observe({})
    mine.observe({})
    mine.observe({ peer: foreign })
    expect(clean.ledger.view(peer).score - mine.ledger.view(peer).score).toBe(10)
    expect(mine.ledger.view(peer).evidenceCount).toBe(1)
  })

  it('refuses what is forged, changed, malformed, taken before, or about the own owner of its rater', async () => {
    const [mine, theirs] = [await openSharing(raterA), await openSharing(foreign)]
    theirs.observe({})
    await theirs.ledger.flush()
    const [sealed = new Uint8Array()] = theirs.shared
    const refused = async (bytes: Uint8Array, sender: Parameters<TrustLedger['takeShared']>[1]): Promise<unknown> => {
      const verdict = await mine.ledger.takeShared(bytes, sender)
      return 'code' in verdict ? verdict.code : verdict.kind
    }
    const changed = Buffer.from(Buffer.from(sealed).toString('latin1').replace('callee ok', 'callee failed'), 'latin1')
    const unsigned = new Uint8Array([...new Uint8Array(64), ...sealed.subarray(64)])
    expect(await refused(changed, from(foreign))).toBe('trust.evidence-forged')
    expect(await refused(unsigned, from(foreign))).toBe('trust.evidence-forged')
    expect(await refused(sealed, from(raterB))).toBe('trust.evidence-forged')
    expect(await refused(sealed, { ...from(foreign), did: 'did:key:zOther' })).toBe('trust.evidence-forged')
    for (const bytes of [new Uint8Array(), new Uint8Array(100), sealed.subarray(0, sealed.length - 1)])
      expect(await refused(bytes, from(foreign))).toBe('trust.evidence-invalid')
    expect(await refused(sealed, from(foreign))).toBe('taken')
    expect(await refused(sealed, from(foreign))).toBe('trust.evidence-duplicate')
    theirs.observe({ peer: 'did:web:other.example other/friend' })
    await theirs.ledger.flush()
    expect(await refused(theirs.shared[1] ?? sealed, from(foreign))).toBe('trust.self-evidence')
  })

  it('refuses what comes too late, from the future, about strangers, or after a gap, and can fetch what is missing', async () => {
    const mine = await openSharing(raterA, { isVouched: (key) => key !== 'did:web:x.example x/nobody' })
    const ahead = await openSharing(foreign, { clock: createManualClock(mine.clock.now() + 61_000) })
    ahead.observe({})
    await ahead.ledger.flush()
    const code = async (lab: TrustLab, at: number): Promise<unknown> => {
      const verdict = await mine.ledger.takeShared(lab.shared[at] ?? new Uint8Array(), from(foreign))
      return 'code' in verdict ? verdict.code : verdict.kind
    }
    expect(await code(ahead, 0)).toBe('trust.evidence-from-future')
    const late = await openSharing(foreign, { clock: createManualClock(mine.clock.now() - 300_001) })
    late.observe({})
    await late.ledger.flush()
    expect(await code(late, 0)).toBe('trust.evidence-late')
    const again = `${foreign} again`
    const theirs = await openSharing(again, { clock: mine.clock, signer: createToySigner(didOf(foreign)) })
    for (const change of [{ peer: 'did:web:x.example x/nobody' }, {}, {}, {}]) {
      theirs.observe(change)
      await theirs.ledger.flush()
    }
    expect(await code(theirs, 0)).toBe('trust.peer-unknown')
    expect(await code(theirs, 2)).toBe('trust.evidence-gap')
    expect(await code(theirs, 1)).toBe('taken')
    const place = mine.ledger.sharedUpTo(again)
    const rest = { batches: theirs.shared.slice(2), isOldest: false, hasMore: false }
    expect(await theirs.ledger.listShared(place)).toEqual(rest)
    const first = { batches: theirs.shared.slice(2, 3), isOldest: false, hasMore: true }
    expect(await theirs.ledger.listShared(place, 1)).toEqual(first)
    expect(await theirs.ledger.listShared(place, 64, 10)).toEqual(first)
    expect(await theirs.ledger.listShared({ seq: 1, last: 'another' })).toMatchObject({ isOldest: true })
    mine.clock.jump(300_001)
    expect(await theirs.ledger.listShared(nothing)).toEqual({ batches: [], isOldest: false, hasMore: false })
  })

  it('holds no more of others than some megabytes while the store cannot take it', async () => {
    const mine = await openSharing(raterA)
    const ok = parseSight('callee ok')
    const padding = Array.from({ length: 900 }, (_, at) => `did:web:p.example p/${'x'.repeat(480)}${String(at)}`)
    let waiting = 0
    let verdict: { readonly kind: string } = { kind: 'taken' }
    for (let first = 1; verdict.kind === 'taken' && waiting < 100_000_000; first++) {
      const pieces = {
        peers: [peer, ...padding],
        capabilities: [capability],
        sights: ok ? [ok] : [],
        rows: [mine.clock.now(), 0, 0, 0],
        starts: {},
        envelopes: `e${String(first)}`,
      }
      const head = { rater: foreign, did: didOf(foreign), model: 'any', first, atMs: mine.clock.now(), previous: '' }
      const text = formatBatch({ ...head, pieces, notes: [] })
      const signed = await createToySigner(didOf(foreign)).sign(signingDomains.evidence, systemHash(text))
      verdict = await mine.ledger.takeShared(sealBatch(text, signed), { ...from(foreign), isOldest: true })
      if (verdict.kind === 'taken') waiting += text.length
    }
    expect(verdict).toMatchObject({ code: 'trust.entry-refused' })
    expect(waiting).toBeLessThan(25_000_000)
    await mine.ledger.flush()
    expect(mine.observe({})).toMatchObject({ kind: 'taken' })
  })

  it('lets no other owner say where a peer starts', async () => {
    const mine = await openSharing(raterA)
    const ok = parseSight('callee ok')
    const pieces = {
      peers: [peer],
      capabilities: [capability],
      sights: ok ? [ok] : [],
      rows: [mine.clock.now(), 0, 0, 0],
      starts: { 0: 1000 },
      envelopes: 'e',
    }
    const head = { rater: foreign, did: didOf(foreign), model: 'any', first: 1, atMs: mine.clock.now(), previous: '' }
    const text = formatBatch({ ...head, pieces, notes: [] })
    const sign = async (bytes: Uint8Array): Promise<Uint8Array> =>
      sealBatch(bytes, await createToySigner(didOf(foreign)).sign(signingDomains.evidence, systemHash(bytes)))
    expect(await mine.ledger.takeShared(await sign(text), from(foreign))).toMatchObject({ kind: 'taken' })
    expect(mine.ledger.view(peer)).toMatchObject({ score: 500, evidenceCount: 0 })
    const broken = new TextEncoder().encode(new TextDecoder().decode(text).replace('{"0":1000}', 'null'))
    expect(await mine.ledger.takeShared(await sign(broken), from(foreign))).toMatchObject({
      code: 'trust.evidence-invalid',
    })
  })

  it('keeps apart what an agent counts that runs as several, and takes it as the word of one', async () => {
    const mine = await openSharing(raterA)
    const twins = [await openSharing(`${foreign} one`), await openSharing(`${foreign} two`)]
    for (const [at, twin] of twins.entries()) {
      twin.observe({ outcome: 'failed' }, 10)
      await twin.ledger.flush()
      const sharer = { rater: foreign, did: didOf(`${foreign} ${at === 0 ? 'one' : 'two'}`) }
      expect(await mine.ledger.takeShared(twin.shared[0] ?? new Uint8Array(), sharer)).toMatchObject({ taken: 10 })
    }
    expect(mine.ledger.sharedUpTo(`${foreign} two`).seq).toBe(10)
    mine.observe({ peer: foreign })
    // Twenty failures, of which one stream alone would have told half.
    expect(mine.ledger.view(peer)).toMatchObject({ evidenceCount: 0, score: 495 })
    expect(mine.ledger.explain(peer).moved).toEqual([])
    expect(twins[0]?.ledger.observe({ peer: foreign, capability, role: 'callee', outcome: 'ok' })).toMatchObject({
      code: 'trust.self-evidence',
    })
  })

  it('takes the oldest that a rater has where more is gone, but each piece once', async () => {
    const [mine, theirs] = [await openSharing(raterA), await openSharing(raterB)]
    for (let count = 0; count < 3; count++) {
      theirs.observe({ outcome: 'failed' })
      await theirs.ledger.flush()
      theirs.clock.jump(1)
      mine.clock.jump(1)
    }
    const take = (at: number, isOldest: boolean): Promise<unknown> =>
      mine.ledger.takeShared(theirs.shared[at] ?? new Uint8Array(), { ...from(raterB), isOldest })
    expect(await take(1, false)).toMatchObject({ code: 'trust.evidence-gap' })
    expect(await take(1, true)).toMatchObject({ taken: 1 })
    expect(await take(1, true)).toMatchObject({ code: 'trust.evidence-duplicate' })
    expect(await take(2, false)).toMatchObject({ taken: 1 })
    expect(mine.ledger.view(peer)).toMatchObject({ evidenceCount: 2 })
  })

  it('takes nothing where evidence is not shared', async () => {
    const mine = await openTrustLab()
    const theirs = await openSharing(foreign)
    theirs.observe({})
    await theirs.ledger.flush()
    expect(await mine.ledger.takeShared(theirs.shared[0] ?? new Uint8Array(), from(foreign))).toMatchObject({
      code: 'trust.entry-refused',
    })
  })

  it('can be recomputed by anybody who has the stream', async () => {
    const [mine, theirs] = [await openSharing(raterA), await openSharing(raterB)]
    for (let round = 0; round < 20; round++) {
      theirs.observe({ outcome: round % 3 === 0 ? 'failed' : 'ok' })
      await theirs.ledger.flush()
      mine.clock.jump(10)
      theirs.clock.jump(7)
      mine.observe({ outcome: round % 5 === 0 ? 'failed' : 'ok' })
      await mine.ledger.takeShared(theirs.shared[round] ?? new Uint8Array(), from(raterB))
    }
    await mine.ledger.flush()
    const store = createMemoryStore()
    for (const { data } of await mine.store.journal.read('trust')) store.plant('trust', data)
    const anybody = await openTrustLedger({
      store,
      clock: mine.clock,
      verify: verifyToy,
      isVouched: () => true,
      isShared: true,
      isRecomputed: true,
    })
    expect(anybody.explain(peer)).toEqual(mine.ledger.explain(peer))
    expect(anybody.view(peer, { capability })).toEqual(mine.ledger.view(peer, { capability }))
  })
})
