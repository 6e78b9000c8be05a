import { defineContract } from '@parley/mesh'
import { z } from 'zod'

const booking = z.object({ booking: z.int(), cents: z.int() })

export const flights = defineContract('flights', {
  reserve: { input: z.object({ to: z.string() }), output: booking, risk: 'reversible', undo: true },
})

export const hotels = defineContract('hotels', {
  reserve: { input: z.object({ city: z.string() }), output: booking, risk: 'reversible', undo: true },
})

export const cards = defineContract('cards', {
  charge: {
    input: z.object({ cents: z.int() }),
    output: z.object({ receipt: z.int() }),
    errors: { 'card-declined': z.object({ missingCents: z.int() }) },
    risk: 'irreversible',
  },
})
