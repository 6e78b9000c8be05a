export {
  createBreaker,
  type Breaker,
  type BreakerChange,
  type BreakerMemory,
  type BreakerOptions,
  type BreakerPass,
  type BreakerState,
  type BreakerVerdict,
} from './breaker.ts'
export { createBulkheads, type BulkheadOptions, type BulkheadPlace, type Bulkheads } from './bulkhead.ts'
export {
  createObjective,
  defaultBurnWindows,
  minBurnEvents,
  type Burn,
  type BurnWindows,
  type Objective,
  type ObjectiveOptions,
} from './objective.ts'
export { verdictOf, type OutcomeKind } from './outcome-verdict.ts'
export {
  createReliability,
  type CallPair,
  type CallPass,
  type CallPhase,
  type ObjectiveTerms,
  type PairState,
  type Reliability,
  type ReliabilityEvent,
  type ReliabilityOptions,
  type ReliabilityState,
} from './reliability.ts'
export {
  createRetryBudget,
  type FailedAttempt,
  type RetryBudget,
  type RetryBudgetOptions,
  type RetryDecision,
} from './retry.ts'
export type { WindowCounts } from './sliding-window.ts'
