import { createLocalIssuer } from '@parley/identity'
import { createNode, defineContract, type MeshNode } from '@parley/mesh'
import type { RunningNatsServer } from '@parley/nats-server'
import { createSystemClock } from '@parley/ports'
import { createParticipant, createSagas, defineSaga, shareSagas, step, type Sagas } from '@parley/saga'
import { openParticipantDatabase, openSqliteInbox, openSqliteStore, withTransaction } from '@parley/store-sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openStore, startJetStream } from './broker-store.ts'
import { random } from './fence.ts'

const clock = createSystemClock()
const hotels = defineContract('hotels', {
  reserve: {
    input: z.object({ guest: z.string() }),
    output: z.object({ room: z.number() }),
    risk: 'reversible',
    undo: true,
  },
})
const stay = defineSaga(
  'stay',
  { version: 1, input: z.object({ guest: z.string() }) },
  step('first', { do: hotels.reserve, to: ['acme/hotel'], input: ({ saga }) => ({ guest: saga.guest }) }),
  step('second', { do: hotels.reserve, to: ['acme/hotel'], input: ({ saga }) => ({ guest: `${saga.guest}-2` }) }),
)

/** A hotel whose rooms and inbox are in one database, and how to open desks that share their sagas. */
async function openSite(server: RunningNatsServer, store: string) {
  const issuer = createLocalIssuer({ alias: 'acme', clock, random })
  const nats = { servers: server.url, reconnectWaitMs: 50 }
  const db = openParticipantDatabase(':memory:')
  db.exec('CREATE TABLE room (number INTEGER PRIMARY KEY, guest TEXT NOT NULL)')
  const reserved = Promise.withResolvers<undefined>()
  const participant = createParticipant({
    inbox: openSqliteInbox(db),
    transaction: (run) => withTransaction(db, run),
    clock,
  })
  const hotel = await createNode({ name: 'acme/hotel', serves: [hotels], issuer, nats })
  hotel.serve(hotels, {
    reserve: participant.serve(hotels.reserve, {
      do(tx, { guest }) {
        reserved.resolve(undefined)
        return { room: Number(tx.prepare('INSERT INTO room (guest) VALUES (?)').run(guest).lastInsertRowid) }
      },
      undo() {
        throw new Error('nothing is undone here')
      },
    }),
  })
  await hotel.start()
  return {
    hotel,
    reserved: reserved.promise,
    guests: () =>
      db
        .prepare('SELECT guest FROM room ORDER BY guest')
        .all()
        .map(({ guest }) => String(guest)),
    async openDesk(leaseMs: number): Promise<{ readonly node: MeshNode; readonly sagas: Sagas }> {
      const own = await openSqliteStore({ path: ':memory:' })
      const shared = await openStore(server.url, { name: store })
      const node = await createNode({
        name: 'acme/desk',
        calls: hotels.capabilities,
        issuer,
        nats,
        store: shareSagas(own, shared),
      })
      await node.start()
      return { node, sagas: createSagas(node, { definitions: [stay], leaseMs }) }
    },
  }
}

describe('two instances of a name over one store on JetStream', () => {
  let server: RunningNatsServer
  beforeAll(async () => {
    server = await startJetStream()
  })
  afterAll(() => server.stop())

  it('go on with a saga that the other one left, with nothing done twice, while each keeps its own records', async () => {
    const site = await openSite(server, 'desk')
    const [left, right] = await Promise.all([site.openDesk(150), site.openDesk(150)])
    await right.sagas.resume()
    await left.sagas.start(stay, { guest: 'ada' }, { id: 'trip-1' })
    await site.reserved
    await left.sagas.close()
    await left.node.close()
    await expect
      .poll(async () => (await right.sagas.show('trip-1')).view, { timeout: 5_000 })
      .toMatchObject({
        status: 'completed',
      })
    expect((await right.sagas.show('trip-1')).view).toMatchObject({ epoch: 2 })
    expect(site.guests()).toEqual(['ada', 'ada-2'])
    await right.sagas.close()
    await Promise.all([right.node.close(), site.hotel.close()])
  })

  it('T1: end every saga though the broker of bus and store is killed under them', async () => {
    const site = await openSite(server, 'outage')
    const desks = await Promise.all([site.openDesk(600), site.openDesk(600)])
    for (const { sagas } of desks) await sagas.resume()
    const ids = Array.from({ length: 12 }, (_, at) => `trip-${at}`)
    const start = async (id: string, at: number): Promise<unknown> =>
      desks[at % 2]?.sagas.start(stay, { guest: id }, { id })
    await Promise.all(ids.map(start))
    await site.reserved
    await server.kill()
    await server.restart()
    const statuses = async (): Promise<unknown> => {
      const { sagas } = (await desks[0]?.sagas.list().catch(() => undefined)) ?? { sagas: [] }
      return sagas.filter(({ status }) => status === 'completed').length
    }
    await expect.poll(statuses, { timeout: 20_000 }).toBe(12)
    expect(site.guests()).toEqual(ids.flatMap((id) => [id, `${id}-2`]).toSorted())
    for (const { sagas, node } of desks) {
      await sagas.close()
      await node.close()
    }
    await site.hotel.close()
  }, 30_000)
})
