export type { AgentCard, CardPolicy } from './discovery/agent-card.ts'
export type { CallOptions, SealedRequest } from './calling/call-options.ts'
export type { CallReceipt, SignedPart } from './calling/call-receipt.ts'
export type { CallStream, StreamOptions } from './calling/call-stream.ts'
export {
  defineContract,
  printCapability,
  type CapabilityDefinition,
  type CapabilityDescription,
  type Contract,
  type ContractCapability,
  type DeclaredErrors,
} from './contract/contract.ts'
export { readDecisionBody } from './policy/decision-bodies.ts'
export type { KeptDecisions } from './policy/decision-keeper.ts'
export type { ContractEvent, EmitOptions, EmitOutcome, EventDefinition } from './contract/event.ts'
export type { Happened, Listener } from './events/happened.ts'
export type { EvidenceOf } from './session/evidence-of.ts'
export type { HopReport } from './node/hop-report.ts'
export type { Declined, HandlerRefusal, Hop, HopCaller, NothingDone } from './serving/hop.ts'
export type { AskedCommand, MailedOutcome, OutcomeListener, ToldOutcome } from './mailbox/mailed-outcome.ts'
export type { MeshNode, NodeHealth, NodeRecord } from './node/node.ts'
export {
  CallError,
  type DeclinedError,
  type DeclinedOutcome,
  type FailedOutcome,
  type OkOutcome,
  type Outcome,
  type RefusedOutcome,
  type UnknownOutcome,
} from './contract/outcome.ts'
export { checkSchema, type Schema, type SchemaInput, type SchemaOutput } from './contract/schema.ts'
export type {
  HandlerReturn,
  LookupAnswer,
  Serve,
  ServeFunction,
  Serves,
  StreamServeFunction,
  UndoableServe,
  UndoInput,
} from './serving/serve.ts'
export { createLocalCaller, type LocalCaller } from './serving/local-caller.ts'
export type { LocalNode } from './serving/local-hop.ts'
export { createNode } from './node/create-node.ts'
export { createIssuerNode, type IssuerNodeOptions } from './issuer/create-issuer-node.ts'
export { issuerContract } from './issuer/issuer-contract.ts'
export { joinMesh } from './issuer/join-mesh.ts'
export { rejoinMesh, type RejoinOptions } from './issuer/rejoin-mesh.ts'
export type { MeshJoin } from './issuer/mesh-join.ts'
export { localIssuer, type LocalMesh } from './node/local-issuer.ts'
export type { AppendedRecord, NodeIssuer, NodeOptions } from './node/node-options.ts'
export type { SagaCommand } from './calling/saga-command.ts'
export type { ApprovalRequest, ApprovalStatement, AskedApproval, KeptAnswer } from './approvals/approval-request.ts'
export { approvalPurpose } from './approvals/approval-request.ts'
export type { NodePolicy, Tool } from './policy/node-policy.ts'
export { approvalContract, type ApprovalContract } from './approvals/approval-contract.ts'
export { describeRequest, type ApprovalStatus, type ApprovalView } from './approvals/approval-view.ts'
export { openApprovals, type StoredApprovals } from './approvals/open-approvals.ts'
export { serveApprovals } from './approvals/serve-approvals.ts'
export type { DeadLetterView } from './dead-letters/dead-letter.ts'
export type { DeadLetters, OpenedDeadLetter } from './dead-letters/dead-letters.ts'
export { deadLetterContract, type DeadLetterContract } from './dead-letters/dead-letter-contract.ts'
export { openDeadLetters, type StoredDeadLetters } from './dead-letters/open-dead-letters.ts'
export { serveDeadLetters } from './dead-letters/serve-dead-letters.ts'
export { field, messageSchema, type MessageField } from './contract/message-schema.ts'
export type { NodeTrust, TrustReason, TrustTerms } from './trust/node-trust.ts'
export type { TrustMode, TrustModes } from './trust/trust-mode.ts'
export type { EvidenceScope, NodeTrustOptions } from './trust/trust-options.ts'
