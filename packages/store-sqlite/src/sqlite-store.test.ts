import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { createSeededRandom, createSystemClock, type Clock } from '@parley/ports'
import { isMeshError } from '@parley/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { createSchema } from './schema.ts'
import { createSqliteStore, type SqliteStore } from './sqlite-store.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A connection that counts its commits, and a turn that ends when the test says so. */
function openStore(): { db: DatabaseSync; store: SqliteStore; endTurn: () => void; turns: () => number } {
  const db = new DatabaseSync(':memory:')
  createSchema(db)
  let deferred: (() => void)[] = []
  let turns = 0
  const clock: Clock = { ...createSystemClock(), defer: (callback) => deferred.push(callback) }
  const endTurn = (): void => {
    const callbacks = deferred
    deferred = []
    turns += callbacks.length
    for (const callback of callbacks) callback()
  }
  return { db, store: createSqliteStore(db, clock, ':memory:', () => {}), endTurn, turns: () => turns }
}

function readCode(error: unknown): string {
  if (isMeshError(error)) return error.code
  throw error
}

let opened: ReturnType<typeof openStore>
beforeEach(() => {
  opened = openStore()
})

describe('createSqliteStore', () => {
  it('lists many streams a thousand a turn, so that it holds up nobody', async () => {
    const { store, endTurn, turns } = opened
    const names = Array.from({ length: 2_500 }, (_, at) => `p/${String(at).padStart(4, '0')}`)
    const written = Promise.all(names.map((name) => store.journal.append(name, 0, [bytes('x')])))
    for (let turn = 0; turn < 10; turn++) endTurn()
    await written
    const before = turns()
    const listing = store.journal.streams('p/')
    for (let turn = 0; turn < 10; turn++) {
      await Promise.resolve()
      await Promise.resolve()
      endTurn()
    }
    expect(await listing).toEqual(names)
    expect(turns() - before).toBe(2)
  })

  it('I1: writes nothing and resolves nothing before the turn ends, then all of it in one commit', async () => {
    const { store, endTurn, turns } = opened
    const writes = Array.from({ length: 100 }, (_, index) => store.journal.append(`s${index}`, 0, [bytes('x')]))
    const put = store.keyValue.put('k', bytes('v'))
    expect(await store.journal.last('s0')).toBe(0)
    endTurn()
    expect(turns()).toBe(1)
    expect(await Promise.all(writes)).toEqual(writes.map(() => 1))
    expect(await put).toBe(1)
  })
  it('I2: a conflict fails alone, whatever stands beside it', async () => {
    const { store, endTurn } = opened
    const results = [
      store.journal.append('s', 0, [bytes('a')]),
      store.journal.append('s', 0, [bytes('b')]),
      store.journal.append('s', 1, [bytes('c')]),
      store.keyValue.put('k', bytes('v'), 7),
    ].map((write) => write.catch(readCode))
    endTurn()
    expect(await Promise.all(results)).toEqual([1, 'store.position-conflict', 2, 'store.revision-conflict'])
  })
  it('I3: a full disk rejects the whole group, keeps nothing of it, and later writes work again', async () => {
    const { db, store, endTurn } = opened
    const first = store.journal.append('s', 0, [bytes('kept')])
    endTurn()
    await first
    const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number }
    db.exec(`PRAGMA max_page_count = ${pages + 2}`)
    // Nothing packs it.
    const large = createSeededRandom(1).bytes(100_000)
    const results = Promise.allSettled([
      store.journal.append('s', 1, [bytes('small')]),
      store.journal.append('s', 2, [large]),
      store.keyValue.put('k', bytes('v')),
    ])
    endTurn()
    for (const result of await results)
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'store.write-failed', retryable: true } })
    expect(await store.journal.last('s')).toBe(1)
    expect(await store.keyValue.get('k')).toBeUndefined()
    db.exec('PRAGMA max_page_count = 1000000')
    const retried = store.journal.append('s', 1, [large])
    endTurn()
    expect(await retried).toBe(2)
  })
  it('commits what waits when it is closed', async () => {
    const { store } = opened
    const write = store.journal.append('s', 0, [bytes('x')])
    await store.close()
    expect(await write).toBe(1)
  })
  it('commits more than one transaction takes', async () => {
    const { store, endTurn, turns } = opened
    const writes = Array.from({ length: 1_200 }, (_, index) => store.keyValue.put(`k${index}`, bytes('v')))
    for (let turn = 0; turn < 3; turn++) endTurn()
    expect(turns()).toBe(3)
    expect(await Promise.all(writes)).toHaveLength(1_200)
  })
  it('stops at a gap instead of reading over it', async () => {
    const { db, store, endTurn } = opened
    const write = store.journal.append('s', 0, [bytes('1'), bytes('2'), bytes('3')])
    endTurn()
    await write
    db.exec('DELETE FROM entry WHERE position = 2')
    await expect(store.journal.read('s')).rejects.toMatchObject({ code: 'store.corrupt' })
    db.exec('DELETE FROM entry WHERE position = 3')
    await expect(store.journal.read('s')).rejects.toMatchObject({ code: 'store.corrupt' })
  })
  it('refuses names that the file could not give back', async () => {
    for (const name of ['', 'a\0b', '\ud800', 'x'.repeat(1_025)])
      await expect(opened.store.journal.append(name, 0, [])).rejects.toMatchObject({ code: 'store.name-invalid' })
  })
  it('agrees with a list in memory for any interleaving of writers', async () => {
    const step = fc.record({
      stream: fc.constantFrom('a', 'b'),
      expected: fc.nat(4),
      count: fc.nat(3),
      endTurn: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { store, endTurn } = openStore()
        const model = new Map<string, number>()
        const checks: Promise<void>[] = []
        for (const { stream, expected, count, endTurn: ends } of steps) {
          const last = model.get(stream) ?? 0
          const wanted = last === expected ? last + count : 'store.position-conflict'
          if (last === expected) model.set(stream, last + count)
          const entries = Array.from({ length: count }, () => bytes('e'))
          const answer = store.journal.append(stream, expected, entries).catch(readCode)
          checks.push(answer.then((value) => expect(value).toBe(wanted)))
          if (ends) endTurn()
        }
        endTurn()
        await Promise.all(checks)
        for (const [stream, last] of model) expect(await store.journal.read(stream)).toHaveLength(last)
        await store.close()
      }),
      { numRuns: 60 },
    )
  })
})
