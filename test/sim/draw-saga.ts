import type { AgentName } from '@parley/protocol'
import type { Random } from '@parley/ports'
import { defineSaga, parallel, pivot, sequence, step, type Part, type SagaDefinition } from '@parley/saga'
import { tripInput, trips, type Trip } from './trip-contract.ts'

type TripPart = Part<Trip, Readonly<Record<string, unknown>>, unknown>

/** The agents that serve the trip contract. */
export const participants: readonly AgentName[] = ['acme/hotels', 'acme/cars']

/** Participants remember this long: beyond every fault, so that a saga that is stuck for it has waited in vain. */
const expiresAfterMs = 5 * 60_000

/** Draws a saga of 1 to 6 steps: in sequence, in groups, with and without a pivot. */
export function drawSaga(random: Random, name: string): SagaDefinition<Trip> {
  const chance = (share: number): boolean => random.float() < share
  const upTo = (most: number): number => 1 + Math.floor(random.float() * most)
  let made = 0
  const options = (kind: string) => {
    const at = `${kind}${++made}`
    const to = chance(0.5) ? {} : { to: chance(0.5) ? participants : participants.slice(chance(0.5) ? 1 : 0) }
    return {
      name: at,
      deadlineMs: 300 + Math.floor(random.float() * 2_500),
      retry: { attempts: upTo(3), minDelayMs: 20, maxDelayMs: 1_500 },
      input: ({ saga }: { readonly saga: Trip }) => ({ what: `${saga.trip} ${at}` }),
      ...to,
    }
  }
  const one = (): TripPart => {
    const { name: at, ...rest } = options(chance(0.15) ? 'search' : 'reserve')
    return at.startsWith('search') ? step(at, { do: trips.search, ...rest }) : step(at, { do: trips.reserve, ...rest })
  }
  const branch = (): TripPart => (chance(0.4) ? sequence(one(), one()) : one())
  const parts: TripPart[] = []
  const steps = upTo(6)
  const hasPivot = steps > 1 && chance(0.3)
  while (made < steps - (hasPivot ? 2 : 0))
    parts.push(chance(0.4) ? parallel(`group${made}`, [branch(), branch()]) : one())
  if (hasPivot) {
    const { name: charge, ...charging } = options('charge')
    const { name: mail, ...mailing } = options('mail')
    parts.push(pivot(charge, { do: trips.charge, ...charging }))
    parts.push(step(mail, { do: trips.mail, ...mailing, retriable: true }))
  }
  return defineSaga(name, { version: 1, input: tripInput, expiresAfterMs }, ...parts)
}
