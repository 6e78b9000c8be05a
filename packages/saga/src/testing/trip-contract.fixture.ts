import { defineContract, type Schema } from '@parley/mesh'

/** Makes a schema that lets everything pass, with the types that a test wants. */
export function anySchema<T>(): Schema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => ({ value: value as T }),
      jsonSchema: { input: () => ({}), output: () => ({}) },
    },
  }
}

export interface Trip {
  readonly from: string
  readonly to: string
}

export interface Booking {
  readonly ref: string
}

/** A contract with one capability of each sort that sagas tell apart. */
export const trips = defineContract('trips', {
  reserve: {
    input: anySchema<{ readonly what: string }>(),
    output: anySchema<Booking>(),
    errors: { full: anySchema<{ readonly seats: number }>() },
    risk: 'reversible',
    undo: true,
  },
  charge: {
    input: anySchema<{ readonly amount: number }>(),
    output: anySchema<{ readonly receipt: number }>(),
    risk: 'irreversible',
  },
  mail: { input: anySchema<{ readonly text: string }>(), output: anySchema<null>(), risk: 'irreversible' },
  search: { input: anySchema<Trip>(), output: anySchema<readonly string[]>(), risk: 'read' },
})
