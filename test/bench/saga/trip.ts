import { defineContract, type Serves } from '@parley/mesh'
import { defineSaga, pivot, step, type SagaDefinition } from '@parley/saga'
import { isMeshError, type AgentName } from '@parley/protocol'
import { z } from 'zod'

/** Whether the measured saga completes, or is rolled back at its third step. */
export type TripEnd = 'completed' | 'undone'

const booking = z.object({ booking: z.int() })
const order = z.object({ to: z.string(), end: z.enum(['completed', 'undone']) })

/** What the three steps of the measured saga call. */
export const trips = defineContract('trips', {
  flight: { input: z.object({ to: z.string() }), output: booking, risk: 'reversible', undo: true },
  hotel: { input: z.object({ to: z.string() }), output: booking, risk: 'reversible', undo: true },
  charge: {
    input: z.object({ booking: z.int(), end: order.shape.end }),
    output: z.object({ receipt: z.int() }),
    errors: { 'card-declined': z.object({}) },
    risk: 'irreversible',
  },
})

/** The steps of the measured saga, in order. */
export const tripSteps = ['flight', 'hotel', 'charge'] as const
export type TripStep = (typeof tripSteps)[number]

export function isTripStep(name: string): name is TripStep {
  return tripSteps.some((step) => step === name)
}

/** The agents that serve the steps. */
export type TripProviders = Readonly<Record<TripStep, AgentName>>

/** Defines the measured saga: two reversible steps, then one that may be declined. */
export function defineTrip(providers: TripProviders): SagaDefinition<z.infer<typeof order>> {
  return defineSaga(
    'trip',
    { version: 1, input: order },
    step('flight', { do: trips.flight, to: [providers.flight], input: ({ saga }) => ({ to: saga.to }) }),
    step('hotel', { do: trips.hotel, to: [providers.hotel], input: ({ saga }) => ({ to: saga.to }) }),
    pivot('charge', {
      do: trips.charge,
      to: [providers.charge],
      input: ({ saga, results }) => ({ booking: results.hotel.booking, end: saga.end }),
    }),
  )
}

/** Serves the steps by counting: what is measured is the saga, not its effects. */
export function serveTrips(): Serves<typeof trips> {
  let bookings = 0
  const reserve = { do: () => ({ booking: ++bookings }), undo: () => undefined }
  return {
    flight: reserve,
    hotel: reserve,
    charge: ({ booking: receipt, end }, hop) => (end === 'completed' ? { receipt } : hop.decline('card-declined', {})),
  }
}

/** Throws unless a run of the saga ended as it was to. */
export async function assertEnd(result: Promise<unknown>, end: TripEnd): Promise<void> {
  try {
    await result
  } catch (error) {
    if (end === 'undone' && isMeshError(error) && error.code === 'saga.compensated') return
    throw error
  }
  if (end === 'undone') throw new Error('a saga completed that was to be undone')
}
