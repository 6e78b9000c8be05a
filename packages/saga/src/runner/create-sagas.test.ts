import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { pivot, step } from '../definition/step.ts'
import { createFakeMesh } from '../testing/fake-mesh.fixture.ts'
import { createInstantClock } from '../testing/instant-clock.fixture.ts'
import { createMemoryStore } from '../testing/memory-store.fixture.ts'
import { serveTrips } from '../testing/trip-agents.fixture.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createSagas } from './create-sagas.ts'

const input = { from: 'SFO', to: 'LIS' }
const options = { version: 1, input: anySchema<Trip>() }

describe('sagas.start', () => {
  it('runs three steps in four commits', async () => {
    const clock = createInstantClock()
    const mesh = createFakeMesh()
    const agents = serveTrips(mesh, clock)
    const store = createMemoryStore()
    const book = defineSaga(
      'book',
      options,
      step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
      step('hotel', { do: trips.reserve, input: ({ results }) => ({ what: results.flight.ref }) }),
      pivot('charge', { do: trips.charge, input: ({ results }) => ({ amount: results.hotel.ref.length }) }),
    )
    const sagas = createSagas(mesh.createNode({ name: 'acme/travel', store, clock }), { definitions: [book] })
    const run = await sagas.start(book, input, { id: 'trip-1' })
    const output = await run.result()
    expect(output).toEqual({ flight: { ref: 'ref-LIS' }, hotel: { ref: 'ref-ref-LIS' }, charge: { receipt: 11 } })
    expect(store.appends()).toBe(4)
    expect(agents.world().log).toEqual([
      'do acme/travel/trip-1/flight',
      'do acme/travel/trip-1/hotel',
      'do acme/travel/trip-1/charge',
    ])
  })
})
void createManualClock
