import type { DatabaseSync } from 'node:sqlite'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { defineContract, type MeshNode } from '@parley/mesh'
import { createParticipant, createSagas, defineSaga, parallel, pivot, step, type Sagas } from '@parley/saga'
import { openParticipantDatabase, openSqliteInbox, openSqliteStore, withTransaction } from '@parley/store-sqlite'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const hotels = defineContract('hotels', {
  reserve: {
    input: z.object({ guest: z.string() }),
    output: z.object({ room: z.number() }),
    errors: { full: z.object({ nights: z.number() }) },
    risk: 'reversible',
    undo: true,
  },
  pay: { input: z.object({ room: z.number() }), output: z.object({ paid: z.boolean() }), risk: 'irreversible' },
})

const stay = defineSaga(
  'stay',
  { version: 1, input: z.object({ guest: z.string() }) },
  parallel('rooms', [
    step('first', { do: hotels.reserve, to: ['acme/hotel'], input: ({ saga }) => ({ guest: saga.guest }) }),
    step('second', { do: hotels.reserve, to: ['acme/hotel'], input: ({ saga }) => ({ guest: `${saga.guest}-2` }) }),
  ]),
  pivot('pay', { do: hotels.pay, input: ({ results }) => ({ room: results.first.room }) }),
)

interface Hotel {
  readonly db: DatabaseSync
  readonly full: Set<string>
  guests(): readonly string[]
}

/** Opens a hotel whose rooms and inbox are in one database. */
async function openHotel(mesh: TestMesh): Promise<Hotel> {
  const db = openParticipantDatabase(':memory:')
  db.exec('CREATE TABLE room (number INTEGER PRIMARY KEY, guest TEXT NOT NULL, key TEXT NOT NULL UNIQUE) STRICT')
  const full = new Set<string>()
  const participant = createParticipant({
    inbox: openSqliteInbox(db),
    transaction: (run) => withTransaction(db, run),
    clock: mesh.clock,
  })
  await mesh.node('acme/hotel', {
    serves: [hotels],
    serve: (node) => {
      node.serve(hotels, {
        reserve: participant.serve(hotels.reserve, {
          do(tx, { guest }, hop) {
            if (full.has(guest)) return hop.decline('full', { nights: 1 })
            const { lastInsertRowid } = tx
              .prepare('INSERT INTO room (guest, key) VALUES (?, ?)')
              .run(guest, hop.saga?.key ?? '')
            return { room: Number(lastInsertRowid) }
          },
          undo(tx, _done, hop) {
            tx.prepare('DELETE FROM room WHERE key = ?').run(hop.saga?.key ?? '')
          },
        }),
        pay: participant.serve(hotels.pay, { do: () => ({ paid: true }) }),
      })
    },
  })
  return {
    db,
    full,
    guests: () =>
      db
        .prepare('SELECT guest FROM room ORDER BY guest')
        .all()
        .map(({ guest }) => String(guest)),
  }
}

const openDesk = async (mesh: TestMesh, store?: MeshNode['store']): Promise<{ node: MeshNode; sagas: Sagas }> => {
  const node = await mesh.node('acme/desk', { calls: hotels.capabilities, ...(store && { store }) })
  return { node, sagas: createSagas(node, { definitions: [stay] }) }
}

/** Moves time until the saga is where it shall be. */
async function advanceUntil(mesh: TestMesh, isThere: () => boolean): Promise<void> {
  for (let seconds = 0; seconds < 300 && !isThere(); seconds++) await mesh.clock.advance(1_000)
}

describe('a saga on real nodes', () => {
  it('completes over signed hops, each recorded under one trace', async () => {
    await using mesh = createTestMesh()
    const hotel = await openHotel(mesh)
    const { node, sagas } = await openDesk(mesh)
    const run = await sagas.start(stay, { guest: 'ada' }, { id: 'trip-1' })
    await advanceUntil(mesh, () => run.state().status === 'completed')
    expect(await run.result()).toMatchObject({ pay: { paid: true }, first: { room: expect.any(Number) } })
    expect(hotel.guests()).toEqual(['ada', 'ada-2'])
    await mesh.clock.settle()
    const records = mesh.recordsOf(node)
    const events = records.filter(({ kind }) => kind === 'saga').map((record) => record['event'])
    expect(events.at(-1)).toBe('completed')
    const traces = records.filter(({ kind, ...record }) => kind === 'hop' && record['saga'] === 'trip-1')
    expect(traces).toHaveLength(3)
    expect(new Set(traces.map((record) => record['trace'])).size).toBe(1)
  })

  it('leaves nothing at the participant when one step is declined', async () => {
    await using mesh = createTestMesh()
    const hotel = await openHotel(mesh)
    const { sagas } = await openDesk(mesh)
    hotel.full.add('ada-2')
    const run = await sagas.start(stay, { guest: 'ada' }, { id: 'trip-1' })
    await advanceUntil(mesh, () => run.state().status === 'compensated')
    await expect(run.result()).rejects.toMatchObject({
      code: 'saga.compensated',
      details: { code: 'full', step: 'second' },
    })
    expect(hotel.guests()).toEqual([])
  })

  it('waits for thirty seconds without its bus and goes on', async () => {
    await using mesh = createTestMesh()
    const hotel = await openHotel(mesh)
    const { node, sagas } = await openDesk(mesh)
    mesh.disconnect(node)
    const run = await sagas.start(stay, { guest: 'ada' }, { id: 'trip-1' })
    await mesh.clock.advance(30_000)
    expect(run.state()).toMatchObject({ status: 'waiting', waiting: { for: 'participant' } })
    await mesh.reconnect(node)
    await advanceUntil(mesh, () => run.state().status !== 'waiting' && run.state().status !== 'running')
    expect(run.state().status).toBe('completed')
    expect(hotel.guests()).toEqual(['ada', 'ada-2'])
  })

  it('is gone on with by a later runner over the same journal, with nothing done twice', async () => {
    await using mesh = createTestMesh()
    const hotel = await openHotel(mesh)
    const store = await openSqliteStore({ path: ':memory:', clock: mesh.clock })
    const first = await openDesk(mesh, store)
    const run = await first.sagas.start(stay, { guest: 'ada' }, { id: 'trip-1' })
    await first.sagas.close()
    await expect(run.result()).rejects.toMatchObject({ code: 'saga.closed' })
    const sagas = createSagas(first.node, { definitions: [stay] })
    await sagas.resume()
    const next = await sagas.attach('trip-1')
    await advanceUntil(mesh, () => next.state().status === 'completed')
    expect(next.state()).toMatchObject({ status: 'completed', epoch: 2 })
    expect(hotel.guests()).toEqual(['ada', 'ada-2'])
  })
})
