import { defineContract } from '@parley/mesh'
import { z } from 'zod'

const place = {
  input: z.object({ to: z.string() }),
  output: z.object({ booking: z.int(), cents: z.int() }),
  errors: { full: z.object({}) },
  risk: 'reversible',
  undo: true,
} as const

export const trips = defineContract('trips', {
  flight: place,
  hotel: place,
  charge: { input: z.object({ cents: z.int() }), output: z.object({ receipt: z.int() }), risk: 'irreversible' },
  mail: { input: z.object({ text: z.string() }), output: z.object({}), risk: 'irreversible' },
})
