import { MeshError } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { createToySigner, openTrustLab, peer } from './trust-lab.fixture.ts'

const hourMs = 3_600_000

describe('flush', () => {
  it('writes what was observed, and the ledger writes by itself soon after', async () => {
    const { ledger, store, clock, observe } = await openTrustLab()
    observe({})
    expect(await store.journal.last('trust')).toBe(0)
    await ledger.flush()
    expect(await store.journal.last('trust')).toBe(1)
    observe({}, 3)
    await clock.advance(100)
    expect(await store.journal.last('trust')).toBe(2)
  })

  it('tries again while the store cannot write and loses nothing', async () => {
    const { ledger, store, clock, observe, reopen } = await openTrustLab()
    store.failNext(new MeshError('store.write-failed', 'the disk is full'))
    observe({ outcome: 'failed' })
    await clock.advance(100)
    expect(await store.journal.last('trust')).toBe(0)
    await clock.advance(1000)
    expect((await reopen({ store: store.copy() })).view(peer)).toEqual(ledger.view(peer))
    expect(ledger.view(peer).score).toBe(490)
  })

  it('takes no more once another process writes the stream', async () => {
    const { ledger, store, observe } = await openTrustLab()
    store.plant('trust', new TextEncoder().encode('{}'))
    observe({})
    await expect(ledger.flush()).rejects.toMatchObject({ code: 'store.position-conflict' })
    expect(observe({})).toMatchObject({ kind: 'deny', code: 'trust.entry-refused' })
    await expect(ledger.flush()).rejects.toMatchObject({ code: 'store.position-conflict' })
  })

  it('refuses evidence when too much waits for the store', async () => {
    const { observe, ledger } = await openTrustLab()
    expect(observe({}, 20_000)).toMatchObject({ kind: 'taken' })
    expect(observe({})).toMatchObject({ kind: 'deny', code: 'trust.entry-refused' })
    await ledger.flush()
    expect(observe({})).toMatchObject({ kind: 'taken' })
  })

  it('writes once an hour that it runs, so that a crash forgets little of it', async () => {
    const { store, clock } = await openTrustLab({ signer: createToySigner('did:key:zOther') })
    await clock.advance(3 * hourMs + 1000)
    expect(await store.journal.last('trust')).toBe(3)
  })
})

describe('close', () => {
  it('writes the rest and takes no more', async () => {
    const { ledger, store, observe } = await openTrustLab()
    observe({})
    await ledger.close()
    await ledger.close()
    expect(await store.journal.last('trust')).toBe(1)
    expect(() => observe({})).toThrow(expect.objectContaining({ code: 'store.closed' }))
  })
})
