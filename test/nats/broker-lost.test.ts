import { fileURLToPath } from 'node:url'
import { createNode, defineContract, localIssuer } from '@parley/mesh'
import { findNatsServer, startNatsServer, type RunningNatsServer } from '@parley/nats-server'
import { createParticipant, createSagas, defineSaga, step } from '@parley/saga'
import { openParticipantDatabase, openSqliteInbox, withTransaction } from '@parley/store-sqlite'
import { createSystemClock } from '@parley/ports'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'

const rooms = defineContract('rooms', {
  reserve: {
    input: z.object({ guest: z.string() }),
    output: z.object({ room: z.number() }),
    risk: 'reversible',
    undo: true,
  },
})

const stay = defineSaga(
  'stay',
  { version: 1, input: z.object({ guest: z.string() }), expiresAfterMs: 600_000 },
  step('first', { do: rooms.reserve, to: ['acme/hotel'], input: ({ saga }) => ({ guest: saga.guest }) }),
  step('second', { do: rooms.reserve, to: ['acme/hotel'], input: ({ saga }) => ({ guest: `${saga.guest}-2` }) }),
)

describe('a saga that loses its broker', () => {
  let server: RunningNatsServer

  beforeAll(async () => {
    const cacheDir = fileURLToPath(new URL('../../.parley/cache', import.meta.url))
    server = await startNatsServer({ binary: await findNatsServer({ env: process.env, cacheDir }) })
  }, 120_000)

  afterAll(() => server.stop())

  it('waits while the server is down and then does each step once', async () => {
    const acme = localIssuer('acme')
    const clock = createSystemClock()
    const db = openParticipantDatabase(':memory:')
    db.exec('CREATE TABLE room (number INTEGER PRIMARY KEY, guest TEXT NOT NULL) STRICT')
    const participant = createParticipant({
      inbox: openSqliteInbox(db),
      transaction: (run) => withTransaction(db, run),
      clock,
    })
    await using hotel = await createNode({ name: 'acme/hotel', issuer: acme, nats: server.url, serves: [rooms] })
    await using desk = await createNode({
      name: 'acme/desk',
      issuer: acme,
      nats: server.url,
      calls: rooms.capabilities,
    })
    const firstDone = Promise.withResolvers<void>()
    hotel.serve(rooms, {
      reserve: participant.serve(rooms.reserve, {
        do(tx, { guest }) {
          const { lastInsertRowid } = tx.prepare('INSERT INTO room (guest) VALUES (?)').run(guest)
          firstDone.resolve()
          return { room: Number(lastInsertRowid) }
        },
        undo() {},
      }),
    })
    await Promise.all([hotel.start(), desk.start()])
    const sagas = createSagas(desk, { definitions: [stay] })
    const run = await sagas.start(stay, { guest: 'ada' }, { id: 'trip-1' })
    await firstDone.promise
    // The reply of the first step may be on its way: whichever side of it the kill falls on, nothing may happen twice.
    await server.kill()
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    expect(desk.health().reasons).toContain('the bus is disconnected')
    expect(run.state().status).not.toBe('compensated')
    await server.restart()
    await run.settled()
    expect(run.state().status).toBe('completed')
    const guests = db.prepare('SELECT guest FROM room ORDER BY number').all()
    expect(guests.map(({ guest }) => guest)).toEqual(['ada', 'ada-2'])
    await sagas.close()
  }, 60_000)
})
