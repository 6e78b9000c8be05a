export {
  defaultExpiresAfterMs,
  defineSaga,
  withOutput,
  type SagaDefinition,
  type SagaOptions,
} from './definition/define-saga.ts'
export { parallel } from './definition/parallel.ts'
export type { Part, StepContext } from './definition/part.ts'
export type { Plan, PlanGroup, PlanNode, PlanStep, PlanWait, RetryPlan } from './definition/plan.ts'
export { sequence } from './definition/sequence.ts'
export { pivot, step, type StepOptions } from './definition/step.ts'
export { pause, signal, until, wait, type LateOptions, type SignalOptions, type WaitFor } from './definition/wait.ts'
export type { VaultOptions } from './journal/body-vault.ts'
export { createStoredDataKeys, type DataKeys } from './journal/data-keys.ts'
export type { JournaledEvent } from './journal/journal-format.ts'
export { shareSagas } from './journal/share-sagas.ts'
export { foldSaga } from './kernel/fold-saga.ts'
export { lifeMachine, type SagaStatus } from './kernel/life-machine.ts'
export type { DecidedEvent, HumanDecision, SagaEvent } from './kernel/saga-event.ts'
export type { SagaState, TurnReason, Waiting } from './kernel/saga-state.ts'
export { sequenceMachine } from './kernel/sequence-machine.ts'
export { stepMachine, type StepStatus } from './kernel/step-machine.ts'
export { waitMachine, type WaitStatus } from './kernel/wait-machine.ts'
export { createParticipant } from './participant/create-participant.ts'
export type { FoundOutside, Participant, ParticipantOptions, TransactionalServe } from './participant/participant.ts'
export { createSagas } from './runner/create-sagas.ts'
export type { SagaView, StepView } from './runner/describe-saga.ts'
export type { SagaStats } from './runner/saga-gauge.ts'
export type { SagaNode } from './runner/saga-node.ts'
export { withLocalSteps } from './runner/with-local-steps.ts'
export type { CancelVerdict, SagaRun } from './runner/saga-run.ts'
export type { SagaLoad, Sagas, SagasOptions, StartOptions, StoppedSaga } from './runner/sagas.ts'
export {
  createHumanVerifier,
  readOrder,
  sagaPurpose,
  type HumanOrder,
  type HumanVerification,
  type VerifyHuman,
} from './runner/verify-human.ts'
export { sagaContract, type SagaContract, type SagaRefused } from './serving/saga-contract.ts'
export { serveSagas } from './serving/serve-sagas.ts'
export { proposeDecision, type Proposal } from './kernel/propose.ts'
export { describeSaga } from './runner/describe-saga.ts'
export { noteSaga } from './runner/note-saga.ts'
export { exportSaga, type ExportSagaOptions } from './proof/export-saga.ts'
export type {
  BodyProof,
  CommandAuthority,
  ProvenDecision,
  SagaAccount,
  SagaVerdict,
  SignedBy,
  StepFact,
} from './proof/saga-account.ts'
export { verifySagaExport, type SagaExpectation } from './proof/verify-saga-export.ts'
export type { ReceiptEvent } from './kernel/saga-event.ts'
export type { SignedLine } from './receipt/signed-line.ts'
export { peekEvent } from './journal/journal-format.ts'
export { formatSagaPrefix, formatSagaStream, openSagaJournal, type SagaJournal } from './journal/saga-journal.ts'
export { drawSaga } from './definition/draw-saga.ts'
export { exportMachine } from './definition/export-machine.ts'
