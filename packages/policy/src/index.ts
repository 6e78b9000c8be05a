export { defaultApproval, type ApprovalDemand } from './approval-demand.ts'
export { credentialsOnly, defaults } from './built-in-documents.ts'
export { decidePolicy, type PolicyAdvice, type PolicyDecision } from './decide-policy.ts'
export type { EngineAdvice, EngineAllow, EngineAsk, EngineDeny, EngineVerdict } from './engine-verdict.ts'
export { explainPolicy, type PolicyExplanation } from './explain-policy.ts'
export type { Condition, ConditionResult } from './condition.ts'
export type { PolicyDocument } from './policy-document.ts'
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
export { formatProblem, type PolicyProblem } from './policy-problem.ts'
export type { PolicyRule } from './policy-rule.ts'
export { compilePolicy, type CompilePolicyOptions, type PolicySet } from './policy-set.ts'
export type { PolicySource } from './policy-source.ts'
export { ringOf } from './ring.ts'
export type { RuleExplanation } from './rule-explanation.ts'
export type { RuleIndex } from './rule-index.ts'
export { locateInScalar } from './scalar-position.ts'
