import type { Random } from '@parley/ports'
import type { Cast } from './cast.ts'
import type { Trip } from './trip/trip.ts'

/** One thing that must be so, and what is. They hold when the two texts are the same. */
export interface Fact {
  readonly expected: string
  readonly seen: string
}

/** What an act works with. */
export interface Play {
  readonly cast: Cast
  /** Draws what the seed decides. */
  readonly random: Random
  /** Takes the next trip request that fits out of the shuffled ones. */
  takeTrip(fits: (trip: Trip) => boolean): Trip
}

/** A part of the demo: does something, then reads from databases and logs what came of it. */
export interface Act {
  readonly name: string
  perform(play: Play): Promise<readonly Fact[]>
}

/** What an act came to. */
export interface ActResult {
  readonly name: string
  readonly facts: readonly Fact[]
  readonly holds: boolean
}

/** Judges facts: all must hold, and there must be some. */
export function judgeAct(name: string, facts: readonly Fact[]): ActResult {
  return { name, facts, holds: facts.length > 0 && facts.every(({ expected, seen }) => expected === seen) }
}
