import { defineSaga, type SagaDefinition } from '../definition/define-saga.ts'
import { parallel } from '../definition/parallel.ts'
import type { Part } from '../definition/part.ts'
import { sequence } from '../definition/sequence.ts'
import { step } from '../definition/step.ts'
import { anySchema, trips, type Trip } from './trip-contract.fixture.ts'

type AnyTripPart = Part<Trip, Readonly<Record<string, unknown>>, unknown>

/** Defines `size` reversible steps, one after the other. */
export function defineSequential(size: number): SagaDefinition<Trip> {
  return defineSaga('sequential', { version: 1, input: anySchema<Trip>() }, ...reserveSteps(size))
}

/** Defines `size` reversible steps at the same time. */
export function defineParallel(size: number): SagaDefinition<Trip> {
  return defineSaga('parallel', { version: 1, input: anySchema<Trip>() }, parallel('all', reserveSteps(size)))
}

/** Defines `size` reversible steps, at least 4: one, two branches with all between, and one. */
export function defineMixed(size: number): SagaDefinition<Trip> {
  const [first, ...rest] = reserveSteps(size)
  const last = rest.pop()
  const half = Math.ceil(rest.length / 2)
  const [[left, ...lefts], [right, ...rights]] = [rest.slice(0, half), rest.slice(half)]
  if (!first || !last || !left || !right) throw new TypeError('a mixed saga has 4 steps or more')
  const branches = [sequence(left, ...lefts), sequence(right, ...rights)]
  return defineSaga('mixed', { version: 1, input: anySchema<Trip>() }, first, parallel('both', branches), last)
}

/** Defines `size` reversible steps, one after the other, each of which locks a seat of its own. */
export function defineLocking(size: number): SagaDefinition<Trip> {
  return defineSaga('locking', { version: 1, input: anySchema<Trip>() }, ...reserveSteps(size, 'seat-'))
}

function reserveSteps(size: number, prefix = ''): readonly AnyTripPart[] {
  return Array.from({ length: size }, (_, at): AnyTripPart => {
    const name = `s${at + 1}`
    return step(name, {
      do: trips.reserve,
      input: () => ({ what: prefix + name }),
      lock: prefix !== '',
      retry: { attempts: 3, minDelayMs: 1, maxDelayMs: 10 },
    })
  })
}
