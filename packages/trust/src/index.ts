export { dimensionWeights, type Dimension, type Dimensions } from './dimensions.ts'
export type { Evidence, EvidenceOutcome, EvidenceRole } from './evidence.ts'
export { outcomeTable, type OutcomeRow } from './outcome-table.ts'
export type { TrustMovement } from './peer-book.ts'
export { trustModel } from './standing.ts'
export { tierBars, tierOf, type Tier } from './tier.ts'
export type { TrustExplanation } from './trust-explanation.ts'
export {
  defaultStartScore,
  openTrustLedger,
  type Observation,
  type TierChange,
  type TrustLedger,
  type TrustLedgerOptions,
  type TrustView,
} from './trust-ledger.ts'
