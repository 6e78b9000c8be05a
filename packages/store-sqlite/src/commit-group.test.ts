import { DatabaseSync } from 'node:sqlite'
import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createCommitGroup } from './commit-group.ts'

function openNumbers(): { readonly db: DatabaseSync; readonly insert: (value: number) => () => number } {
  const db = new DatabaseSync(':memory:')
  db.exec('CREATE TABLE number (value INTEGER UNIQUE)')
  const statement = db.prepare('INSERT INTO number (value) VALUES (?)')
  return { db, insert: (value) => () => Number(statement.run(value).changes) }
}

/** A sync that ends when the test says so. */
function createHeldSync(): { readonly sync: () => Promise<void>; readonly held: PromiseWithResolvers<void>[] } {
  const held: PromiseWithResolvers<void>[] = []
  return {
    held,
    sync: () => {
      const one = Promise.withResolvers<void>()
      held.push(one)
      return one.promise
    },
  }
}

describe('createCommitGroup', () => {
  it('resolves a write only when the sync after its commit ended, and syncs what came meanwhile together', async () => {
    const clock = createManualClock()
    const { db, insert } = openNumbers()
    const { sync, held } = createHeldSync()
    const group = createCommitGroup(db, clock, { sync })
    const done: number[] = []
    const write = (value: number): Promise<unknown> => group.run(insert(value)).then(() => done.push(value))
    const writes = [write(1)]
    await clock.settle()
    writes.push(write(2), write(3))
    await clock.settle()
    expect([held.length, done]).toEqual([1, []])
    held[0]?.resolve()
    await clock.settle()
    expect([held.length, done]).toEqual([2, [1]])
    held[1]?.resolve()
    await Promise.all(writes)
    expect([held.length, done]).toEqual([2, [1, 2, 3]])
  })

  it('answers so many a turn of the event loop, in their order, so that what they go on with holds up nobody', async () => {
    const clock = createManualClock()
    const { db, insert } = openNumbers()
    const group = createCommitGroup(db, clock, { sync: () => Promise.resolve() })
    const perTurn: number[] = []
    const done: number[] = []
    const writes = Array.from({ length: 40 }, (_, value) => group.run(insert(value)).then(() => done.push(value)))
    const turn = (): void => {
      if (done.length > 0) perTurn.push(done.length)
      if (done.length < 40) clock.defer(turn)
    }
    clock.defer(turn)
    await clock.settle()
    await Promise.all(writes)
    expect(perTurn).toEqual([16, 32, 40])
    expect(done).toEqual(done.toSorted((left, right) => left - right))
  })

  it('answers before it tidies up, and commits nothing meanwhile', async () => {
    const clock = createManualClock()
    const { db, insert } = openNumbers()
    const { sync: tidy, held } = createHeldSync()
    const group = createCommitGroup(db, clock, { sync: () => Promise.resolve(), tidy })
    await group.run(insert(1))
    const second = group.run(insert(2))
    await clock.settle()
    expect([held.length, db.prepare('SELECT value FROM number').all()]).toEqual([1, [{ value: 1 }]])
    held[0]?.resolve()
    await second
  })

  it('rejects everything from a sync on that failed', async () => {
    const clock = createManualClock()
    const { db, insert } = openNumbers()
    const { sync, held } = createHeldSync()
    const group = createCommitGroup(db, clock, { sync })
    const first = group.run(insert(1))
    await clock.settle()
    const meanwhile = group.run(insert(2))
    held[0]?.reject(new Error('EIO'))
    const failed = { status: 'rejected', reason: { code: 'store.write-failed' } }
    expect(await Promise.allSettled([first, meanwhile])).toMatchObject([failed, failed])
    await expect(group.run(insert(3))).rejects.toMatchObject({ code: 'store.write-failed' })
    expect(held).toHaveLength(1)
    expect(db.prepare('SELECT value FROM number').all()).toEqual([{ value: 1 }])
  })

  it('waits in flush for the sync that runs and for what still waits', async () => {
    const clock = createManualClock()
    const { db, insert } = openNumbers()
    const { sync, held } = createHeldSync()
    const group = createCommitGroup(db, clock, { sync })
    const writes = [group.run(insert(1))]
    await clock.settle()
    writes.push(group.run(insert(2)))
    let isFlushed = false
    const flushed = group.flush().then(() => {
      isFlushed = true
    })
    held[0]?.resolve()
    await clock.settle()
    expect([isFlushed, held.length]).toEqual([false, 2])
    held[1]?.resolve()
    await flushed
    expect(await Promise.all(writes)).toEqual([1, 1])
  })
})
