import type { Random } from '@parley/ports'

/** What a retry budget is made of. */
export interface RetryBudgetOptions {
  readonly random: Random
  /** Retries for each call; default 0.1. */
  readonly share?: number
  /** Retries that are saved up at most, and that a fresh budget has; default 10. */
  readonly maxSaved?: number
  /** Attempts of one call, the first one included; default 3. */
  readonly maxAttempts?: number
  /** Bound of the first delay; it doubles with every attempt; default 50. */
  readonly baseDelayMs?: number
  /** Bound of any delay; default 2,000. */
  readonly maxDelayMs?: number
}

/** An attempt that did not end well. */
export interface FailedAttempt {
  /** 1 for the first one. */
  readonly attempt: number
  /** Whether the same call may succeed later, and may be repeated at all. */
  readonly isRetryable: boolean
  /** What the refusal suggested. */
  readonly retryAfterMs?: number
  /** What is left of the deadline. */
  readonly remainingMs: number
}

/** Whether to try again, and when. */
export type RetryDecision =
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'stop'; readonly reason: 'not-retryable' | 'too-many-attempts' | 'no-time' | 'budget-spent' }

/** Keeps retries a small part of traffic, so that they never make an overload worse. */
export interface RetryBudget {
  /** Counts a first attempt, which earns a share of a retry. */
  recordCall(): void
  /** Decides about a failed attempt; a yes spends one retry. */
  decideRetry(failed: FailedAttempt): RetryDecision
}

/** Creates a budget with `maxSaved` retries in hand, so that little traffic can retry too. */
export function createRetryBudget(options: RetryBudgetOptions): RetryBudget {
  const { random, share = 0.1, maxSaved = 10, maxAttempts = 3, baseDelayMs = 50, maxDelayMs = 2_000 } = options
  // Counted in thousandths: a tenth has no exact binary fraction.
  const cost = 1_000
  const earned = Math.round(share * cost)
  let saved = maxSaved * cost
  return {
    recordCall() {
      saved = Math.min(maxSaved * cost, saved + earned)
    },
    decideRetry({ attempt, isRetryable, retryAfterMs = 0, remainingMs }) {
      if (!isRetryable) return { kind: 'stop', reason: 'not-retryable' }
      if (attempt >= maxAttempts) return { kind: 'stop', reason: 'too-many-attempts' }
      // Full jitter: callers that failed together do not come back together.
      const jitterMs = random.float() * Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1))
      const delayMs = Math.ceil(retryAfterMs + jitterMs)
      if (delayMs >= remainingMs) return { kind: 'stop', reason: 'no-time' }
      if (saved < cost) return { kind: 'stop', reason: 'budget-spent' }
      saved -= cost
      return { kind: 'retry', delayMs }
    },
  }
}
