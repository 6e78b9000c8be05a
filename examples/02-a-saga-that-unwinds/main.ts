import type { DatabaseSync } from 'node:sqlite'
import { createNode, localIssuer, type Contract, type Hop, type MeshNode, type Serves } from '@parley/mesh'
import { createSagas, defineSaga, pivot, step } from '@parley/saga'
import { z } from 'zod'
import { cards, flights, hotels } from './contracts.ts'
import { openLedger, type Ledger } from './ledger.ts'

const trip = defineSaga(
  'trip',
  { version: 1, input: z.object({ to: z.string() }) },
  step('flight', { do: flights.reserve, to: ['acme/planes'], input: ({ saga }) => ({ to: saga.to }) }),
  step('hotel', { do: hotels.reserve, to: ['acme/hotel'], input: ({ saga }) => ({ city: saga.to }) }),
  pivot('charge', {
    do: cards.charge,
    to: ['acme/bank'],
    input: ({ results }) => ({ cents: results.flight.cents + results.hotel.cents }),
  }),
)

const acme = localIssuer('acme')
const nats = process.env['NATS_URL']
const [seats, rooms, money] = [openLedger(20), openLedger(8), openLedger(50_000)]
const booked = z.object({ booking: z.int() })

const open = async <C extends Contract>(name: string, contract: C, serves: Serves<C>): Promise<MeshNode> => {
  const node = await createNode({ name, issuer: acme, serves: [contract], nats })
  node.serve(contract, serves)
  await node.start()
  return node
}
const booking = (ledger: Ledger, cents: number) => ({
  do(tx: DatabaseSync, _input: unknown, hop: Pick<Hop, 'fail'>) {
    const id = ledger.take(tx, 1)
    return id === undefined ? hop.fail() : { booking: id, cents }
  },
  undo(tx: DatabaseSync, { output }: { readonly output: unknown }) {
    ledger.giveBack(tx, booked.parse(output).booking)
  },
})
await using _planes = await open('acme/planes', flights, {
  reserve: seats.participant.serve(flights.reserve, booking(seats, 64_000)),
})
await using _hotel = await open('acme/hotel', hotels, {
  reserve: rooms.participant.serve(hotels.reserve, booking(rooms, 21_000)),
})
await using _bank = await open('acme/bank', cards, {
  charge: money.participant.serve(cards.charge, {
    do(tx, { cents }, hop) {
      const receipt = money.take(tx, cents)
      return receipt === undefined ? hop.decline('card-declined', { missingCents: cents - money.left() }) : { receipt }
    },
  }),
})

const calls = [flights.reserve, hotels.reserve, cards.charge]
await using desk = await createNode({ name: 'acme/desk', issuer: acme, calls, nats })
await desk.start()
await using sagas = createSagas(desk, { definitions: [trip] })
const run = await sagas.start(trip, { to: 'SFO' }, { id: 'trip-1' })
for await (const { event } of run.events()) {
  if (event.type === 'committed') console.log(`done    ${event.step}`)
  if (event.type === 'declined')
    console.log(`no      ${event.step}: ${event.error.name} ${JSON.stringify(event.error.details)}`)
  if (event.type === 'undone') console.log(`undone  ${event.step}`)
}
console.log(`${run.state().status}: ${seats.left()} seats, ${rooms.left()} rooms, ${money.left()} cents`)
