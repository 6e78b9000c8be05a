import { z } from 'zod'
import trips from './trips.json' with { type: 'json' }

/** Describes one trip request, as the JSON file has it. */
const tripSchema = z.object({
  id: z.string(),
  traveller: z.string(),
  from: z.string(),
  to: z.string(),
  nights: z.int(),
  card: z.string(),
  hotels: z.array(z.templateLiteral([z.string(), '/', z.string()])),
})

/** A trip that somebody asked for; `hotels` are the agents that may let the room, the preferred one first. */
export interface Trip {
  readonly id: string
  readonly traveller: string
  readonly from: string
  readonly to: string
  readonly nights: number
  readonly card: string
  readonly hotels: readonly `${string}/${string}`[]
}

/** Parses a trip that came from a file or another process. */
export const tripInput: z.ZodType<Trip, Trip> = tripSchema

/** Reads the trip requests that ship with the package. */
export function readTrips(): readonly Trip[] {
  return z.array(tripInput).parse(trips)
}
