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

describe('two instances of a name over one store on JetStream', () => {
  let server: RunningNatsServer
  beforeAll(async () => {
    server = await startJetStream()
  })
  afterAll(() => server.stop())

  it('go on with a saga that the other one left, with nothing done twice, while each keeps its own records', async () => {
    const issuer = createLocalIssuer({ alias: 'acme', clock, random })
    const nats = { servers: server.url, reconnectWaitMs: 50 }
    const db = openParticipantDatabase(':memory:')
    db.exec('CREATE TABLE room (number INTEGER PRIMARY KEY, guest TEXT NOT NULL)')
    const held = Promise.withResolvers<undefined>()
    const participant = createParticipant({
      inbox: openSqliteInbox(db),
      transaction: (run) => withTransaction(db, run),
      clock,
    })
    await using hotel = await createNode({ name: 'acme/hotel', serves: [hotels], issuer, nats })
    hotel.serve(hotels, {
      reserve: participant.serve(hotels.reserve, {
        do(tx, { guest }) {
          held.resolve(undefined)
          return { room: Number(tx.prepare('INSERT INTO room (guest) VALUES (?)').run(guest).lastInsertRowid) }
        },
        undo() {
          throw new Error('nothing is undone here')
        },
      }),
    })
    const openDesk = async (): Promise<{ readonly node: MeshNode; readonly sagas: Sagas }> => {
      const own = await openSqliteStore({ path: ':memory:' })
      const store = shareSagas(own, await openStore(server.url, { name: 'desk' }))
      const node = await createNode({ name: 'acme/desk', calls: hotels.capabilities, issuer, nats, store })
      await node.start()
      return { node, sagas: createSagas(node, { definitions: [stay] }) }
    }
    await hotel.start()
    const [left, right] = await Promise.all([openDesk(), openDesk()])
    await left.sagas.start(stay, { guest: 'ada' }, { id: 'trip-1' })
    await held.promise
    await left.sagas.close()
    await left.node.close()
    const { runs } = await right.sagas.resume()
    const [run] = runs
    expect(await run?.result()).toMatchObject({ second: { room: 2 } })
    expect(run?.state()).toMatchObject({ status: 'completed', epoch: 2 })
    expect(db.prepare('SELECT guest FROM room ORDER BY number').all()).toEqual([{ guest: 'ada' }, { guest: 'ada-2' }])
    await right.sagas.close()
    await right.node.close()
  })
})
