import { defineContract } from '@parley/mesh'
import { z } from 'zod'

const what = z.object({ what: z.string() })
/** Every output names what was asked for, so that an answer to something else shows. */
const done = z.object({ what: z.string(), by: z.string() })

/** One capability of each sort that sagas tell apart. */
export const trips = defineContract('trips', {
  reserve: { input: what, output: done, errors: { full: z.object({}) }, risk: 'reversible', undo: true },
  charge: { input: what, output: done, errors: { declined: z.object({}) }, risk: 'irreversible' },
  mail: { input: what, output: done, risk: 'irreversible' },
  search: { input: what, output: done, risk: 'read' },
})

/** The input of every saga. */
export const tripInput = z.object({ trip: z.string() })

export interface Trip {
  readonly trip: string
}
