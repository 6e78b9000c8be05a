export { dimensionNames, type Dimension, type Dimensions } from './dimensions.ts'
export type { BehaviourMonitorOptions } from './behaviour-monitor.ts'
export type { EvidenceOutcome, EvidenceRole, Incident, Measured, Observed, OutcomeSeen, Subject } from './evidence.ts'
export type { EvidenceShare, SharedPlace, SharedRange, SharedVerdict, Sharer } from './evidence-share.ts'
export type { OrdersAbout, OwnerWord } from './owner-word.ts'
export { outcomeTable, type OutcomeRow } from './outcome-table.ts'
export type { JudgedFor, TrustView } from './peer-judgement.ts'
export { tierBars, tierOf, type Tier } from './tier.ts'
export type { TrustExplanation, TrustMovement } from './trust-explanation.ts'
export {
  openTrustLedger,
  type Observation,
  type TierChange,
  type TrustLedger,
  type TrustLedgerOptions,
} from './trust-ledger.ts'
export {
  createTrustModel,
  defaultWeights,
  trustModelName,
  type TrustModel,
  type TrustModelOptions,
} from './trust-model.ts'
export type { Attestation, Quarantine, QuarantineCause, TrustNote, TrustPin } from './trust-note.ts'
