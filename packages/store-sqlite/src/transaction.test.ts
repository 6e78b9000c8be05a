import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSystemClock } from '@parley/ports'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openParticipantDatabase } from './participant-database.ts'
import { withTransaction } from './transaction.ts'

const clock = createSystemClock()
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('withTransaction', () => {
  it('keeps nothing of work that throws or rejects', async () => {
    const db = openParticipantDatabase(':memory:')
    db.exec('CREATE TABLE t (x)')
    const broken = new Error('card reader on fire')
    const throwing = withTransaction(db, () => {
      db.exec('INSERT INTO t VALUES (1)')
      throw broken
    })
    await expect(throwing).rejects.toBe(broken)
    const rejecting = withTransaction(db, async () => {
      db.exec('INSERT INTO t VALUES (2)')
      await turn()
      throw broken
    })
    await expect(rejecting).rejects.toBe(broken)
    expect(db.prepare('SELECT x FROM t').all()).toEqual([])
  })
  it('runs the transactions of one connection one after the other, though they await', async () => {
    const db = openParticipantDatabase(':memory:')
    const seen: string[] = []
    const work = (name: string) => async (): Promise<string> => {
      seen.push(`${name} begins`)
      await turn()
      seen.push(`${name} ends`)
      return name
    }
    expect(await Promise.all([withTransaction(db, work('a')), withTransaction(db, work('b'))])).toEqual(['a', 'b'])
    expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  })
  it('commits what waits together at once, without what was taken back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-transaction-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const path = join(folder, 'own.db')
    const db = openParticipantDatabase(path)
    db.exec('CREATE TABLE t (x UNIQUE)')
    const reader = openParticipantDatabase(path)
    const count = (): unknown => reader.prepare('SELECT count(*) AS n FROM t').get()?.['n']
    const seen: unknown[] = []
    const insert = async (x: number): Promise<void> => {
      await withTransaction(db, () => db.prepare('INSERT INTO t VALUES (?)').run(x))
      seen.push(count())
    }
    const ends = await Promise.allSettled([insert(1), insert(2), insert(1), insert(3)])
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(seen).toEqual([3, 3, 3])
    reader.close()
    db.close()
  })
  it('rejects all that shared a commit which failed, keeps nothing of it, and goes on', async () => {
    const db = openParticipantDatabase(':memory:')
    db.exec(`CREATE TABLE owner (id INTEGER PRIMARY KEY) STRICT;
      CREATE TABLE t (owner INTEGER REFERENCES owner DEFERRABLE INITIALLY DEFERRED) STRICT`)
    const insert = (owner: number): Promise<unknown> =>
      withTransaction(db, () => db.prepare('INSERT INTO t VALUES (?)').run(owner))
    const insertOwner = (id: number): Promise<unknown> =>
      withTransaction(db, () => db.prepare('INSERT INTO owner VALUES (?)').run(id))
    // A deferred key is only looked at by COMMIT.
    const ends = await Promise.allSettled([insertOwner(1), insert(7)])
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(ends[0]).toMatchObject({ reason: { code: 'store.write-failed' } })
    await Promise.all([insertOwner(2), insert(2)])
    expect(db.prepare('SELECT id FROM owner').all()).toEqual([{ id: 2 }])
  })
  it('lets slow work keep none waiting that came after it', async () => {
    const db = openParticipantDatabase(':memory:')
    db.exec('CREATE TABLE t (x)')
    const order: string[] = []
    const slow = withTransaction(db, async () => {
      for (const startMs = clock.monotonic(); clock.monotonic() - startMs < 6;) await turn()
    }).then(() => order.push('slow'))
    const next = withTransaction(db, () => {
      order.push('next begins')
    })
    await Promise.all([slow, next])
    expect(order).toEqual(['slow', 'next begins'])
  })
  it('says that it could not begin inside another transaction, and leaves that one alone', async () => {
    const db = openParticipantDatabase(':memory:')
    db.exec('CREATE TABLE t (x); BEGIN; INSERT INTO t VALUES (1)')
    await expect(withTransaction(db, () => 1)).rejects.toMatchObject({ code: 'store.write-failed' })
    db.exec('COMMIT')
    expect(db.prepare('SELECT x FROM t').all()).toEqual([{ x: 1 }])
  })
})
