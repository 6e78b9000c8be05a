import { defineSaga, pivot, step, type SagaDefinition } from '@parley/saga'
import { flights, hotels, payments } from './contracts.ts'
import { tripInput, type Trip } from './trip.ts'

/** Books a trip: a seat, a room, and then the money, after which nothing is taken back. */
export const tripSaga: SagaDefinition<Trip> = defineSaga(
  'book-trip',
  { version: 1, input: tripInput },
  step('flight', {
    do: flights.reserve,
    to: ['acme/flights'],
    input: ({ saga }) => ({ traveller: saga.traveller, from: saga.from, to: saga.to }),
  }),
  step('hotel', {
    do: hotels.reserve,
    to: ({ hotels: providers }) => providers,
    input: ({ saga }) => ({ guest: saga.traveller, city: saga.to, nights: saga.nights }),
  }),
  pivot('charge', {
    do: payments.charge,
    to: ['acme/payments'],
    input: ({ saga, results }) => ({
      card: saga.card,
      amountCents: results.flight.priceCents + results.hotel.priceCents,
    }),
  }),
)
