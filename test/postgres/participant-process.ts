import { fakeHop } from '@parley/testkit'
import { defineContract, type Hop, type SagaCommand } from '@parley/mesh'
import { createInboxTables, createPgInbox, withPgTransaction, type PgTransaction } from '@parley/inbox-pg'
import { createSystemClock } from '@parley/ports'
import { createParticipant } from '@parley/saga'
import { openParticipantDatabase, openSqliteInbox, withTransaction } from '@parley/store-sqlite'
import pg from 'pg'
import { z } from 'zod'

// A participant's process with an inbox in PostgreSQL and one in SQLite. It does what its parent says, and stops where the
// parent wants it to die: there it tells so, and goes on only when it is told to.

/** Where a command stops: after its effect, after its inbox row, or after the commit and before the answer. */
export type StopPoint = 'effect' | 'row' | 'commit'

/** What the parent says: a command, or that what stopped goes on. */
export type Order =
  | { readonly id: number; readonly on: 'pg' | 'sqlite'; readonly saga: SagaCommand; readonly stopAt?: StopPoint }
  | 'go-on'

/** What the process says: it is there, where it stopped, or what was answered. */
export type Report = 'ready' | { readonly id: number; readonly stopped?: StopPoint; readonly answer?: unknown }

const desks = defineContract('desks', {
  reserve: {
    input: z.object({}),
    output: z.object({ seat: z.number() }),
    risk: 'reversible',
    undo: true,
  },
})

const [, , pgHost = '', sqlitePath = ''] = process.argv
const clock = createSystemClock()
const tell = (report: Report): void => void process.send?.(report)
let goOn = Promise.withResolvers<undefined>()

/** Stops the commands that shall stop here. `hop.id` is the order's. */
const stops = new Map<string, StopPoint>()
const pass = async (id: string, point: StopPoint): Promise<void> => {
  if (stops.get(id) !== point) return
  tell({ id: Number(id), stopped: point })
  await goOn.promise
}

const pool = new pg.Pool({ host: pgHost, user: 'parley', database: 'postgres' })
await withPgTransaction(pool, async (tx) => {
  await createInboxTables(tx)
  await tx.query('CREATE TABLE IF NOT EXISTS seat (number serial, key text NOT NULL)')
})
const db = openParticipantDatabase(sqlitePath)
db.exec('CREATE TABLE IF NOT EXISTS seat (number INTEGER PRIMARY KEY, key TEXT NOT NULL)')

// The transaction of each order, so that it can stop around the commit.
const inPg = (id: string) =>
  createParticipant<PgTransaction>({
    inbox: createPgInbox(),
    transaction: async (run) => {
      const result = await withPgTransaction(pool, async (tx) => {
        const done = await run(tx)
        await pass(id, 'row')
        return done
      })
      await pass(id, 'commit')
      return result
    },
    clock,
  }).serve(desks.reserve, {
    async do(tx, _input, hop) {
      const { rows } = await tx.query('INSERT INTO seat (key) VALUES ($1) RETURNING number', [hop.saga?.key])
      await pass(id, 'effect')
      return { seat: Number(rows[0]?.['number']) }
    },
    async undo(tx, _done, hop) {
      await tx.query('DELETE FROM seat WHERE key = $1', [hop.saga?.key])
    },
  })

const inbox = openSqliteInbox(db)
const inSqlite = (id: string) =>
  createParticipant({
    inbox,
    transaction: async (run) => {
      const result = await withTransaction(db, async (tx) => {
        const done = await run(tx)
        await pass(id, 'row')
        return done
      })
      await pass(id, 'commit')
      return result
    },
    clock,
  }).serve(desks.reserve, {
    async do(tx, _input, hop) {
      const { lastInsertRowid } = tx.prepare('INSERT INTO seat (key) VALUES (?)').run(hop.saga?.key ?? '')
      await pass(id, 'effect')
      return { seat: Number(lastInsertRowid) }
    },
    undo(tx, _done, hop) {
      tx.prepare('DELETE FROM seat WHERE key = ?').run(hop.saga?.key ?? '')
    },
  })

process.on('message', (order: Order) => {
  if (order === 'go-on') {
    goOn.resolve(undefined)
    goOn = Promise.withResolvers()
    return
  }
  const { id, on, saga, stopAt } = order
  if (stopAt) stops.set(String(id), stopAt)
  const hop: Hop<Record<never, never>> = fakeHop({ id: String(id), capability: desks.reserve.capability, saga })
  const serves = on === 'pg' ? inPg(String(id)) : inSqlite(String(id))
  const answering: Promise<unknown> = (async () => {
    if (saga.phase === 'undo') return serves.undo?.({}, hop)
    if (saga.phase === 'lookup') return serves.lookup?.(hop)
    return serves.do({}, hop)
  })()
  void answering.then(
    (answer) => tell({ id, answer: answer ?? null }),
    (error: unknown) => tell({ id, answer: { kind: 'threw', message: String(error) } }),
  )
})
// Ends with its parent.
process.on('disconnect', () => process.exit())
tell('ready')
