import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { createSchema } from './schema.ts'
import { createStreamRows } from './stream-rows.ts'

describe('createStreamRows', () => {
  it('forgets what a transaction changed that was taken back', () => {
    const db = new DatabaseSync(':memory:')
    createSchema(db)
    const rows = createStreamRows(db)
    const before = rows.put('kept', { first: 1, last: 2 })
    db.exec('BEGIN')
    rows.put('kept', { first: 2, last: 5 })
    rows.put('new', { first: 1, last: 1 })
    expect(rows.find('kept')).toMatchObject({ first: 2, last: 5 })
    db.exec('ROLLBACK')
    rows.forget()
    expect(rows.find('kept')).toEqual(before)
    expect(rows.find('new')).toBeUndefined()
  })

  it('remembers so many, and reads the others again', () => {
    const db = new DatabaseSync(':memory:')
    createSchema(db)
    const rows = createStreamRows(db)
    for (let at = 0; at < 5_000; at++) rows.put(`s${String(at)}`, { first: 1, last: at })
    for (const at of [0, 4_999]) expect(rows.find(`s${String(at)}`)).toMatchObject({ last: at })
  })
})
