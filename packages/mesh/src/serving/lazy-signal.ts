import { createStopping, type Stopping } from '../node/stopping.ts'

/** Where a hop keeps what stops it. */
export const stops: unique symbol = Symbol('stops')

/**
 * What hops inherit their signal from. Most handlers never ask for it, and a getter in the hop itself would make a
 * dictionary of it.
 */
export const lazySignal: { [stops]: Stopping; readonly signal: AbortSignal } = {
  [stops]: createStopping(),
  get signal(): AbortSignal {
    return this[stops].signal()
  },
}
