import { defineContract } from '@parley/mesh'
import { z } from 'zod'

const place = z.string().min(1).max(40)
const cents = z.int().min(0)

/** Sells seats. `upgrade` is outside of what the owner delegated to the concierge. */
export const flights = defineContract('flights', {
  reserve: {
    input: z.object({ traveller: place, from: place, to: place }),
    output: z.object({ booking: z.int(), priceCents: cents }),
    errors: { 'sold-out': z.object({ route: z.string() }) },
    risk: 'reversible',
    undo: true,
  },
  upgrade: {
    input: z.object({ traveller: place }),
    output: z.object({ upgraded: z.int() }),
    risk: 'reversible',
  },
})

/** Lets rooms. Two agents of two owners serve it. */
export const hotels = defineContract('hotels', {
  reserve: {
    input: z.object({ guest: place, city: place, nights: z.int().min(1).max(30) }),
    output: z.object({ booking: z.int(), priceCents: cents }),
    errors: { 'no-rooms': z.object({ city: z.string() }) },
    risk: 'reversible',
    undo: true,
  },
})

/** Moves money. A charge cannot be taken back, so it is the pivot of a trip. */
export const payments = defineContract('payments', {
  charge: {
    input: z.object({ card: place, amountCents: cents }),
    output: z.object({ receipt: z.int() }),
    errors: { 'card-declined': z.object({ card: z.string(), missingCents: cents }) },
    risk: 'irreversible',
  },
  balance: {
    input: z.object({ card: place }),
    output: z.object({ balanceCents: cents }),
    risk: 'read',
  },
})
