import { defineContract } from '@parley/mesh'
import { z } from 'zod'

/** What both sides share: the contract, and nothing else. */
export const flights = defineContract('flights', {
  reserve: {
    input: z.object({ to: z.string() }),
    output: z.object({ seat: z.string() }),
    errors: { 'sold-out': z.object({ next: z.string() }) },
    risk: 'reversible',
  },
})
