import { step } from '../definition/step.ts'
import type { Fault } from './fake-mesh.fixture.ts'
import { anySchema, trips, type Trip } from './trip-contract.fixture.ts'

/** What sagas of trips are defined with. */
export const tripOptions = { version: 1, input: anySchema<Trip>() }

/** A retry that needs no patience. */
export const quick = { minDelayMs: 10, maxDelayMs: 100 }

/** Makes a step that reserves what is called like it, and soon tries again. */
export const reserve = <const Name extends string>(
  name: Name,
  more: { readonly to?: readonly `${string}/${string}`[]; readonly among?: readonly string[] } = {},
) =>
  step(name, {
    do: trips.reserve,
    input: (_context: { saga: Trip; results: unknown }) => ({ what: name }),
    retry: quick,
    ...more,
  })

/** Lets the first faults of each `phase step` happen, one a call. */
export function faults(
  list: Readonly<Record<string, readonly Fault[]>>,
): (call: { saga: { phase: string; step: string } }) => Fault | undefined {
  const left = new Map(Object.entries(list).map(([name, items]) => [name, [...items]]))
  return ({ saga }) => left.get(`${saga.phase} ${saga.step}`)?.shift()
}
