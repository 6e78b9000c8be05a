import { join } from 'node:path'
import { openFileIssuer } from '@parley/identity'
import { createNode, defineContract } from '@parley/mesh'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { createSagas, defineSaga, step } from '@parley/saga'
import { createMemoryBus } from '@parley/transport-memory'
import { z } from 'zod'
import { openLedger } from './ledger.ts'

// A process of its own: told its folder and its life, it says what happens, and ends with its saga.
const [folder = '', life = ''] = process.argv.slice(2)
const place = { input: z.object({}), output: z.object({ booking: z.int() }), risk: 'reversible', undo: true } as const
const stock = defineContract('stock', { seat: place, room: place })

const trip = defineSaga(
  'trip',
  { version: 1, input: z.object({}) },
  step('seat', { do: stock.seat, input: () => ({}) }),
  step('room', { do: stock.room, input: () => ({}) }),
)

const issuer = await openFileIssuer({
  dir: join(folder, 'acme'),
  clock: createSystemClock(),
  random: createSystemRandom(),
})
const bus = createMemoryBus()
const [seats, rooms] = [openLedger(join(folder, 'seats.sqlite'), 20), openLedger(join(folder, 'rooms.sqlite'), 8)]
const agent = await createNode({ name: 'acme/stock', issuer, serves: [stock], transport: bus.connect() })
const undo = (): undefined => undefined
agent.serve(stock, {
  seat: seats.participant.serve(stock.seat, { do: (tx) => ({ booking: seats.take(tx, 1) ?? 0 }), undo }),
  room: rooms.participant.serve(stock.room, {
    async do(tx) {
      process.send?.('the room is asked for')
      // In its first life the agent is killed here, before anything of it is durable.
      if (life === '1') await new Promise(() => undefined)
      return { booking: rooms.take(tx, 1) ?? 0 }
    },
    undo,
  }),
})
await agent.start()

const data = join(folder, 'desk.sqlite')
const desk = await createNode({ name: 'acme/desk', issuer, calls: stock.capabilities, transport: bus.connect(), data })
await desk.start()
const sagas = createSagas(desk, { definitions: [trip], leaseMs: 500 })
await sagas.resume()
const run = await sagas.start(trip, {}, { id: 'trip-1' })
let epoch = 1
for await (const { event } of run.events()) {
  if (event.type === 'owned') epoch = event.epoch
  if (String(epoch) !== life) continue
  if (event.type === 'committed') process.send?.(`done ${event.step}`)
  if (event.type === 'looked-up') process.send?.(`looked up ${event.step}: ${event.found}`)
}
process.send?.(`${run.state().status} under epoch ${run.state().epoch}`)
for (const one of [sagas, desk, agent]) await one.close()
process.disconnect()
