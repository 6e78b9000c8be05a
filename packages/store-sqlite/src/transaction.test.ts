import { describe, expect, it } from 'vitest'
import { openParticipantDatabase } from './participant-database.ts'
import { withTransaction } from './transaction.ts'

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
  it('says that it could not begin inside another transaction, and leaves that one alone', async () => {
    const db = openParticipantDatabase(':memory:')
    db.exec('CREATE TABLE t (x); BEGIN; INSERT INTO t VALUES (1)')
    await expect(withTransaction(db, () => 1)).rejects.toMatchObject({ code: 'store.write-failed' })
    db.exec('COMMIT')
    expect(db.prepare('SELECT x FROM t').all()).toEqual([{ x: 1 }])
  })
})
