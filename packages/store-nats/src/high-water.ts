import type { Clock } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { JetLink } from './jet-link.ts'
import type { LeaderReader } from './leader-reader.ts'

// I1 Sequences of a stream only grow. One that was acknowledged or read and is not there any more was taken back: the
//    stream was restored, rolled back or made anew, and nothing is written to it any further.

/** In a message of one stream of a store: the newest sequence of the other stream that its writer knew. */
export const witnessHeader = 'Parley-Witness'

/** The newest sequence of one stream that this process knows of. */
export interface HighWater {
  readonly sequence: number
  /** What broke the stream, if anything did. */
  readonly failure: MeshError | undefined
  /** Learns of a sequence that exists. */
  learn(sequence: number): void
  /** Learns what a write was given that was sent when `before` was the newest. Throws `store.corrupt` if it is no newer. */
  take(before: number, sequence: number): void
  /** Throws what broke the stream. */
  assertSound(): void
  /** Reads what the stream has now; a leader that was voted out may answer with less for a while, so it is asked again. */
  verify(): Promise<void>
}

/** Creates the mark of a stream at 0. */
export function createHighWater(
  stream: string,
  reader: LeaderReader,
  link: JetLink,
  clock: Clock,
  staleMs: number,
): HighWater {
  let highest = 0
  let failure: MeshError | undefined
  const learn = (sequence: number): void => {
    highest = Math.max(highest, sequence)
  }
  const fail = (has: number): MeshError => {
    failure ??= describeRollback(stream, highest, has)
    return failure
  }
  return {
    get sequence() {
      return highest
    },
    get failure() {
      return failure
    },
    learn,
    take(before, sequence) {
      if (sequence <= before) throw fail(sequence)
      learn(sequence)
    },
    assertSound() {
      if (failure) throw failure
    },
    async verify() {
      const untilMs = clock.monotonic() + staleMs
      for (let attempt = 0; ; attempt++) {
        const has = await reader.lastSequence()
        if (has >= highest) break
        if (!(await link.pause(attempt, untilMs))) throw fail(has)
      }
    },
  }
}

/** How long a read may be answered by a leader that was voted out: with one replica there is no other. */
export function readStaleMs(replicas: number): number {
  return replicas > 1 ? staleLeaderMs : 0
}

/** A leader that lost its quorum notices within this time. */
const staleLeaderMs = 10_000

/** Describes a stream that has less than it had. */
export function describeRollback(stream: string, known: number, has: number): MeshError {
  return new MeshError(
    'store.corrupt',
    `The stream ${stream} was at ${known} and is at ${has}: it was rolled back, restored or made anew.`,
    { details: { stream, known, has } },
  )
}
