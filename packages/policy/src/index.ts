export { describeSubject, digestJson, digestSubject, type ApprovalSubject } from './approval/approval-subject.ts'
export {
  approvalAnswers,
  isHeard,
  ownerOfParty,
  weighAnswers,
  type ApprovalAnswer,
  type ApprovalState,
  type ApprovalWord,
  type WeighedRequest,
} from './approval/weigh-answers.ts'
export { defaultApproval, type ApprovalDemand } from './approval-demand.ts'
export { credentialsOnly, defaults } from './built-in-documents.ts'
export {
  decidePolicy,
  type DocumentDemand,
  type DocumentLimit,
  type PolicyAdvice,
  type PolicyAllow,
  type PolicyDecision,
  type PolicyDenial,
} from './decide-policy.ts'
export type { EngineAdvice, EngineAllow, EngineAsk, EngineDeny, EngineVerdict } from './engine-verdict.ts'
export { explainPolicy, type PolicyExplanation } from './explain-policy.ts'
export { hashTexts } from './language/compile-document.ts'
export { isPolicyDocument, type ConflictStrategy, type PolicyDocument } from './language/policy-document.ts'
export type { PolicyRule, RuleScope } from './language/policy-rule.ts'
export type { PolicyEffect } from './policy-effect.ts'
export type { EngineTransform, PolicyEngine } from './policy-engine.ts'
export type { PolicyForm } from './policy-form.ts'
export {
  noDelegation,
  noObjective,
  type PolicyDelegation,
  type PolicyDirection,
  type PolicyInput,
  type PolicyObjective,
  type PolicyPeer,
  type PolicyPeerKind,
  type PolicyPhase,
  type PolicyTier,
} from './policy-input.ts'
export type { PolicyLimit } from './policy-limit.ts'
export { createLimitMeter, type LimitMeter, type LimitMeterOptions, type MeteredHop } from './limits/limit-meter.ts'
export { hourOf, weekdayOf } from './condition/time-of-day.ts'
export { compileRedaction, type Redaction, type RedactionText } from './language/redaction.ts'
export { openYaml, startOfNode, type OpenedYaml } from './language/open-yaml.ts'
export { lintPolicy, type PolicyFinding } from './lint/lint-policy.ts'
export { locateInScalar } from './language/scalar-position.ts'
export { formatProblem, type PolicyProblem, type ReportProblem } from './policy-problem.ts'
export { compilePolicy, type CompilePolicyOptions, type PolicyPart, type PolicySet } from './policy-set.ts'
export type { PolicySource } from './policy-source.ts'
export { parseKeptInput, watchInput, type KeptInput, type WatchedInput } from './replay/kept-input.ts'
export { replayDecision, type KeptDecision, type ReplayedDecision } from './replay/replay-decision.ts'
export { ringOf } from './ring.ts'
export type { RuleExplanation } from './rule-explanation.ts'
export { checkInputKeys, type InputKeyProblem } from './table/input-keys.ts'
export { makeInput, parsePolicyTable, type PolicyTable, type TableCase } from './table/policy-table.ts'
export { runPolicyTable, type TableResult } from './table/run-policy-table.ts'
