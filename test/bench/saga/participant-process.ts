import { join } from 'node:path'
import { createNode } from '@parley/mesh'
import { createParticipant } from '@parley/saga'
import { openParticipantDatabase, openSqliteInbox, withTransaction } from '@parley/store-sqlite'
import { createSystemClock } from '@parley/ports'
import { serveBench } from '../bench-process.ts'
import { openBenchIssuer } from '../hop/parley-mesh.ts'
import { isTripStep, trips } from './trip.ts'

// A participant: one step, its own database, inbox row and effect in one transaction.

const [, , url = '', dir = '', name = ''] = process.argv
if (!isTripStep(name)) throw new TypeError(`no step is called ${name}`)
const db = openParticipantDatabase(join(dir, `${name}-effects.db`))
db.exec(
  'CREATE TABLE effect (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, undone INTEGER NOT NULL DEFAULT 0) STRICT',
)
const insert = db.prepare('INSERT INTO effect (key) VALUES (?)')
const remove = db.prepare('UPDATE effect SET undone = 1 WHERE key = ?')
const participant = createParticipant({
  inbox: openSqliteInbox(db),
  transaction: (run) => withTransaction(db, run),
  clock: createSystemClock(),
})
const take = (key: string | undefined): number => Number(insert.run(key ?? '').lastInsertRowid)
const booking = {
  do: (_tx: unknown, _input: unknown, hop: { readonly saga?: { readonly key: string } }) => ({
    booking: take(hop.saga?.key),
  }),
  undo: (_tx: unknown, _done: unknown, hop: { readonly saga?: { readonly key: string } }) => {
    remove.run(hop.saga?.key ?? '')
  },
}
await using node = await createNode({
  name: `bench/${name}`,
  issuer: await openBenchIssuer(dir),
  serves: [trips],
  data: join(dir, `${name}.db`),
  nats: url,
})
node.serve(trips, {
  flight: participant.serve(trips.flight, booking),
  hotel: participant.serve(trips.hotel, booking),
  charge: participant.serve(trips.charge, {
    do: (_tx, { end }, hop) =>
      end === 'completed' ? { receipt: take(hop.saga?.key) } : hop.decline('card-declined', {}),
  }),
})
await node.start()
await serveBench({
  facts: () => ({ effects: Number(db.prepare('SELECT count(*) AS count FROM effect').get()?.['count']) }),
  describe: () =>
    ['journal_mode', 'synchronous']
      .map((name) => `${name} ${String(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0])}`)
      .join(', '),
})
