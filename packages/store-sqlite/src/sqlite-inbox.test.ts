import type { InboxCommand } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { openParticipantDatabase } from './participant-database.ts'
import { purgeSqliteInbox } from './purge-sqlite-inbox.ts'
import { openSqliteInbox } from './sqlite-inbox.ts'
import { withTransaction } from './transaction.ts'

const command: InboxCommand = {
  owner: 'did:key:zOwner',
  name: 'acme/trips',
  saga: 'trip-1',
  key: 'flight',
  capability: 'flights:reserve',
  epoch: 1,
  expiresAtMs: 1_000,
}

describe('openSqliteInbox', () => {
  it('refuses to answer outside of a transaction', () => {
    const db = openParticipantDatabase(':memory:')
    const inbox = openSqliteInbox(db)
    expect(() => inbox.begin(db, command)).toThrow(TypeError)
  })
  it('forgets the epoch with the transaction that raised it', async () => {
    const db = openParticipantDatabase(':memory:')
    const inbox = openSqliteInbox(db)
    const aborted = withTransaction(db, (tx) => {
      inbox.begin(tx, { ...command, epoch: 9 })
      throw new Error('abort')
    })
    await expect(aborted).rejects.toThrow('abort')
    expect(await withTransaction(db, (tx) => inbox.begin(tx, command))).toEqual({ kind: 'new' })
  })
  it('T13: lets no zombie owner end a saga, nor anybody that of another', async () => {
    const db = openParticipantDatabase(':memory:')
    const inbox = openSqliteInbox(db)
    await withTransaction(db, (tx) => inbox.settle(tx, { ...command, epoch: 3 }, { kind: 'ok', output: '1' }))
    expect(await withTransaction(db, (tx) => inbox.close(tx, { ...command, epoch: 2 }))).toMatchObject({ epoch: 3 })
    await withTransaction(db, (tx) => inbox.close(tx, { ...command, name: 'acme/mallory', epoch: 9 }))
    expect(await withTransaction(db, (tx) => inbox.lookup(tx, { ...command, epoch: 3 }))).toMatchObject({
      kind: 'known',
    })
  })
  it('is opened again over its own tables', async () => {
    const db = openParticipantDatabase(':memory:')
    const inbox = openSqliteInbox(db)
    await withTransaction(db, (tx) => inbox.settle(tx, command, { kind: 'ok', output: '"AB12"' }))
    expect(await withTransaction(db, (tx) => openSqliteInbox(db).begin(tx, command))).toEqual({
      kind: 'known',
      outcome: { kind: 'ok', output: '"AB12"' },
    })
  })
})

describe('purgeSqliteInbox', () => {
  it('forgets an expired saga whole and leaves the others', async () => {
    const db = openParticipantDatabase(':memory:')
    const inbox = openSqliteInbox(db)
    const later = { ...command, saga: 'trip-2', expiresAtMs: 3_000 }
    for (const each of [command, later])
      await withTransaction(db, (tx) => inbox.settle(tx, each, { kind: 'ok', output: '1' }))
    expect(await purgeSqliteInbox(db, 1_000)).toBe(1)
    expect(db.prepare('SELECT saga FROM parley_inbox_key').all()).toEqual([{ saga: 'trip-2' }])
    expect(await withTransaction(db, (tx) => inbox.begin(tx, later))).toMatchObject({ kind: 'known' })
  })
  it('I4: never takes a forgotten command for a new one, nor its undo for nothing to do', async () => {
    const db = openParticipantDatabase(':memory:')
    const inbox = openSqliteInbox(db)
    await withTransaction(db, (tx) => inbox.settle(tx, command, { kind: 'ok', output: '1' }))
    await purgeSqliteInbox(db, 2_000)
    await purgeSqliteInbox(db, 500)
    for (const ask of ['begin', 'undo', 'lookup'] as const)
      await expect(withTransaction(db, (tx) => inbox[ask](tx, command))).rejects.toMatchObject({
        code: 'saga.command-expired',
      })
  })
})
