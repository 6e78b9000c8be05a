import type { DatabaseSync } from 'node:sqlite'
import { createNode, localIssuer, type Hop } from '@parley/mesh'
import { createSagas, defineSaga, drawSaga, parallel, pivot, step } from '@parley/saga'
import { z } from 'zod'
import { trips } from './contracts.ts'
import { openLedger, type Ledger } from './ledger.ts'

const trip = defineSaga(
  'trip',
  { version: 1, input: z.object({ to: z.string() }) },
  parallel('places', [
    step('flight', { do: trips.flight, input: ({ saga }) => ({ to: saga.to }) }),
    step('hotel', { do: trips.hotel, input: ({ saga }) => ({ to: saga.to }) }),
  ]),
  pivot('charge', {
    do: trips.charge,
    input: ({ results }) => ({ cents: results.flight.cents + results.hotel.cents }),
  }),
  step('mail', {
    do: trips.mail,
    retriable: true,
    retry: { minDelayMs: 10 },
    input: ({ saga, results }) => ({ text: `${saga.to}, receipt ${results.charge.receipt}` }),
  }),
)

const acme = localIssuer('acme')
const nats = process.env['NATS_URL']
const [seats, rooms, money, outbox] = [openLedger(20), openLedger(1), openLedger(90_000), openLedger(10)]
let mailServerIsDown = 2

const booking = (ledger: Ledger, cents: number) => ({
  do(tx: DatabaseSync, _input: unknown, hop: Pick<Hop<{ full: Record<string, never> }>, 'decline'>) {
    const id = ledger.take(tx, 1)
    return id === undefined ? hop.decline('full', {}) : { booking: id, cents }
  },
  undo(tx: DatabaseSync, { output }: { readonly output: { readonly booking: number } }) {
    ledger.giveBack(tx, output.booking)
  },
})
await using agent = await createNode({ name: 'acme/trips', issuer: acme, serves: [trips], nats })
agent.serve(trips, {
  flight: seats.participant.serve(trips.flight, booking(seats, 64_000)),
  hotel: rooms.participant.serve(trips.hotel, booking(rooms, 21_000)),
  charge: money.participant.serve(trips.charge, {
    do: (tx, { cents }, hop) => {
      const receipt = money.take(tx, cents)
      return receipt === undefined ? hop.fail() : { receipt }
    },
  }),
  mail: outbox.participant.serve(trips.mail, {
    do: (tx, _input, hop) => (mailServerIsDown-- > 0 ? hop.fail({ retryable: true }) : (outbox.take(tx, 1), {})),
  }),
})
await agent.start()

await using desk = await createNode({ name: 'acme/desk', issuer: acme, calls: trips.capabilities, nats })
await desk.start()
await using sagas = createSagas(desk, { definitions: [trip] })

for (const to of ['LIS', 'SFO']) {
  const run = await sagas.start(trip, { to }, { id: `trip-${to}` })
  for await (const { event } of run.events()) {
    if (event.type !== 'committed' || event.step !== 'charge') continue
    const cancel = await run.cancel('changed my mind')
    console.log(`cancel of ${to} after its pivot: ${cancel.kind === 'deny' ? cancel.code : 'taken back'}`)
  }
  const { status, steps } = run.state()
  console.log(
    `${to} ${status}: ${Object.entries(steps)
      .map(([name, { status: at }]) => `${name} ${at}`)
      .join(', ')}`,
  )
  console.log(`  ${run.state().steps['mail']?.attempts ?? 0} attempts at mail`)
}
console.log(
  `${seats.left()} seats, ${rooms.left()} rooms, ${money.left()} cents; drawn in ${drawSaga(trip).split('\n').length} lines`,
)
