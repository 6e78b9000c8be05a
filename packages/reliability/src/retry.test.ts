import { createSeededRandom } from '@parley/ports'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRetryBudget } from './retry.ts'

const failed = { attempt: 1, isRetryable: true, remainingMs: 60_000 }

describe('createRetryBudget', () => {
  it('allows retries for a tenth of the calls beyond those saved up', () => {
    const budget = createRetryBudget({ random: createSeededRandom(1) })
    let retries = 0
    for (let call = 0; call < 1_000; call++) {
      budget.recordCall()
      if (budget.decideRetry(failed).kind === 'retry') retries += 1
    }
    expect(retries).toBe(109)
    expect(budget.decideRetry(failed)).toEqual({ kind: 'stop', reason: 'budget-spent' })
    for (let call = 0; call < 10; call++) budget.recordCall()
    expect(budget.decideRetry(failed).kind).toBe('retry')
  })

  it('saves up no more than its bound', () => {
    const budget = createRetryBudget({ random: createSeededRandom(1), maxSaved: 2 })
    for (let call = 0; call < 1_000; call++) budget.recordCall()
    const kinds = Array.from({ length: 3 }, () => budget.decideRetry(failed).kind)
    expect(kinds).toEqual(['retry', 'retry', 'stop'])
  })

  it('stops at what is not retryable, at the last attempt and when there is no time, and spends nothing', () => {
    const budget = createRetryBudget({ random: createSeededRandom(1), maxSaved: 1 })
    expect(budget.decideRetry({ ...failed, isRetryable: false })).toEqual({ kind: 'stop', reason: 'not-retryable' })
    expect(budget.decideRetry({ ...failed, attempt: 3 })).toEqual({ kind: 'stop', reason: 'too-many-attempts' })
    expect(budget.decideRetry({ ...failed, remainingMs: 0 })).toEqual({ kind: 'stop', reason: 'no-time' })
    expect(budget.decideRetry({ ...failed, retryAfterMs: 60_000 })).toEqual({ kind: 'stop', reason: 'no-time' })
    expect(budget.decideRetry(failed).kind).toBe('retry')
  })

  it('waits at least what the refusal asked for, and at most the doubled, capped bound more', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 30 }), fc.nat(5_000), (seed, attempt, retryAfterMs) => {
        const budget = createRetryBudget({ random: createSeededRandom(seed), maxAttempts: 31 })
        const decision = budget.decideRetry({ ...failed, attempt, retryAfterMs })
        if (decision.kind === 'stop') throw new Error(decision.reason)
        expect(decision.delayMs).toBeGreaterThanOrEqual(retryAfterMs)
        expect(decision.delayMs).toBeLessThanOrEqual(retryAfterMs + Math.min(2_000, 50 * 2 ** (attempt - 1)))
      }),
    )
  })

  it('gives the same delays for the same seed', () => {
    const delays = (): unknown[] => {
      const budget = createRetryBudget({ random: createSeededRandom(7) })
      return Array.from({ length: 5 }, () => budget.decideRetry(failed))
    }
    expect(delays()).toEqual(delays())
  })
})
