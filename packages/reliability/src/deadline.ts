import type { Clock } from '@parley/ports'
import { refuse, type Refusal } from '@parley/protocol'

/** The end of a call, kept as remaining time: clocks of other machines do not matter. */
export interface Deadline {
  /** Milliseconds that are left; 0 once it is over. */
  remainingMs(): number
  isOver(): boolean
  /**
   * Says how much time the next hop gets: what is left, less the margin for the way back, and no more than `timeoutMs`.
   * Refuses with `deadline.exceeded` when that is below the minimum: nothing was sent then.
   */
  decideHop(timeoutMs?: number): { readonly kind: 'allow'; readonly remainingMs: number } | Refusal
}

/** What a deadline is made of. */
export interface DeadlineOptions {
  readonly clock: Clock
  /** As the envelope says it, or as the caller wants it. */
  readonly remainingMs: number
  /** Kept back at every hop for the answer's way; default 5. */
  readonly marginMs?: number
  /** Below this a hop is not worth starting; default 10. */
  readonly minHopMs?: number
}

/** Starts a deadline now. It counts in monotonic time; an unusable `remainingMs` (NaN, negative) is over at once. */
export function createDeadline(options: DeadlineOptions): Deadline {
  const { clock, marginMs = 5, minHopMs = 10 } = options
  const endMs = clock.monotonic() + (options.remainingMs > 0 ? options.remainingMs : 0)
  const remainingMs = (): number => Math.max(0, endMs - clock.monotonic())
  return {
    remainingMs,
    isOver: () => remainingMs() === 0,
    decideHop(timeoutMs = Infinity) {
      const hopMs = Math.floor(Math.min(remainingMs() - marginMs, timeoutMs))
      return hopMs >= minHopMs
        ? { kind: 'allow', remainingMs: hopMs }
        : refuse('deadline.exceeded', `${Math.max(0, hopMs)} ms are left for this hop; it needs at least ${minHopMs}.`)
    },
  }
}
