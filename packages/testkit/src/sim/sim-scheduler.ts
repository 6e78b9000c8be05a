import { createSystemClock, type Clock, type Random } from '@parley/ports'
import TinyQueue from 'tinyqueue'

// I1 One turn runs at a time, and all promises settle before the next one.
// I2 Which of the turns that are due runs next is decided by the seed alone; what a process deferred runs in its order.
// I3 Time moves only from the end of one turn to the next that is due.

/** Decides which turn runs next, and what time it is. */
export interface SimScheduler {
  /** Virtual milliseconds since the start. */
  elapsedMs(): number
  /** Runs `turn` after `delayMs`; among turns of one time the seed chooses. Returns its removal. */
  after(delayMs: number, turn: () => void): () => void
  /** Runs `turn` next, after what was deferred before. */
  soon(turn: () => void): void
  /** Runs turns until `isDone` says so or `limitMs` of virtual time are over; true if `isDone` said so. */
  run(isDone: () => boolean, limitMs: number): Promise<boolean>
  /** The time of the world, which no process can jump. */
  readonly clock: Clock
}

interface Turn {
  readonly dueMs: number
  /** Drawn from the seed: the lower runs first among those of one time. */
  readonly rank: number
  readonly order: number
  run: (() => void) | undefined
}

/** The wall time at which every simulation starts. */
const startMs = Date.UTC(2026, 0, 1)

/** Creates a scheduler without turns. */
export function createSimScheduler(random: Random): SimScheduler {
  const waiting = new TinyQueue<Turn>([], compare)
  let deferred: (() => void)[] = []
  let nowMs = 0
  let order = 0
  const after: SimScheduler['after'] = (delayMs, run) => {
    const turn: Turn = { dueMs: nowMs + Math.max(0, delayMs), rank: random.float(), order: order++, run }
    waiting.push(turn)
    return () => {
      turn.run = undefined
    }
  }
  const soon = (turn: () => void): void => {
    deferred.push(turn)
  }
  return {
    elapsedMs: () => nowMs,
    after,
    soon,
    async run(isDone, limitMs) {
      const untilMs = nowMs + limitMs
      for (;;) {
        await settlePromises()
        if (deferred.length > 0) {
          const turns = deferred
          deferred = []
          for (const turn of turns) turn()
          continue
        }
        if (isDone()) return true
        const next = waiting.peek()
        if (!next || next.dueMs > untilMs) {
          nowMs = untilMs
          return isDone()
        }
        waiting.pop()
        if (!next.run) continue
        nowMs = Math.max(nowMs, next.dueMs)
        next.run()
      }
    },
    clock: {
      now: () => startMs + Math.floor(nowMs),
      monotonic: () => nowMs,
      setTimer: (callback, delayMs) => after(delayMs, callback),
      defer: soon,
    },
  }
}

const host = createSystemClock()

/** A real turn of the loop lets all promises that can settle do so; nothing is read of the machine's time. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => host.defer(resolve))
}

function compare(left: Turn, right: Turn): number {
  return left.dueMs - right.dueMs || left.rank - right.rank || left.order - right.order
}
