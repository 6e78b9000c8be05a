export { credentialsOnly, defaults } from './built-in-documents.ts'
export { decidePolicy, type PolicyAdvice, type PolicyDecision } from './decide-policy.ts'
export { explainPolicy, type PolicyExplanation, type RuleExplanation } from './explain-policy.ts'
export type { Condition, ConditionResult } from './condition.ts'
export type { PolicyDocument } from './policy-document.ts'
export type { PolicyEffect } from './policy-effect.ts'
export type {
  PolicyDirection,
  PolicyInput,
  PolicyPeer,
  PolicyPeerKind,
  PolicyPhase,
  PolicyTier,
} from './policy-input.ts'
export type { PolicyProblem } from './policy-problem.ts'
export type { PolicyRule } from './policy-rule.ts'
export { compilePolicy, type CompilePolicyOptions, type PolicySet } from './policy-set.ts'
export type { PolicySource } from './policy-source.ts'
export type { RuleIndex } from './rule-index.ts'
