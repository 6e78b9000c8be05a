import type { ErrorCode } from '@parley/protocol'
import { createActivation, type Activation } from './activation.ts'
import { defaultRuleName } from './compile-document.ts'
import type { PolicyDocument } from './policy-document.ts'
import type { PolicyEffect } from './policy-effect.ts'
import type { PolicyInput } from './policy-input.ts'
import type { PolicyRule } from './policy-rule.ts'
import type { PolicySet } from './policy-set.ts'

/** What is recorded beside a decision: an advisory rule that matched, or a rule that failed without deciding. */
export interface PolicyAdvice {
  readonly document: string
  readonly rule: string
  readonly effect: PolicyEffect
  /** Why the rule could not be evaluated. */
  readonly failed?: string
}

/** The outcome of a policy set for one hop, with the rule that decided; the rule `default` is the document's default. */
export type PolicyDecision =
  | {
      readonly kind: 'allow'
      readonly document: string
      readonly rule: string
      readonly policyHash: string
      readonly advice: readonly PolicyAdvice[]
    }
  | {
      readonly kind: 'deny'
      readonly code: ErrorCode
      readonly reason: string
      readonly document: string
      readonly rule: string
      readonly policyHash: string
      readonly advice: readonly PolicyAdvice[]
    }

type DocumentVerdict =
  | { readonly kind: 'allow'; readonly rule: string }
  | { readonly kind: 'deny'; readonly code: ErrorCode; readonly reason: string; readonly rule: string }

/**
 * Decides one hop. Every document must allow; the first that does not is the decision. Within a document a deny rule wins
 * over require_approval, that over allow, and allow over the default. A deny or approval rule that cannot be evaluated
 * denies with `policy.evaluation-failed`; an allow rule that cannot be evaluated does not allow.
 */
export function decidePolicy(set: PolicySet, input: PolicyInput): PolicyDecision {
  const { policyHash } = set
  const activation = createActivation(input)
  const advice: PolicyAdvice[] = []
  let allowedBy: { readonly document: string; readonly rule: string } | undefined
  for (const document of set.documents) {
    const verdict = decideDocument(document, input.action, activation, advice)
    if (verdict.kind === 'deny') return { ...verdict, document: document.name, policyHash, advice }
    if (verdict.rule !== defaultRuleName) allowedBy = { document: document.name, rule: verdict.rule }
  }
  if (allowedBy === undefined) {
    const reason = 'no rule of any document allows it'
    return { kind: 'deny', code: 'policy.denied', reason, document: '', rule: '', policyHash, advice }
  }
  return { kind: 'allow', ...allowedBy, policyHash, advice }
}

function decideDocument(
  document: PolicyDocument,
  action: string,
  activation: Activation,
  advice: PolicyAdvice[],
): DocumentVerdict {
  const { indexes, name } = document
  for (const rule of indexes.advice.find(action)) {
    const result = rule.condition.evaluate(activation)
    if (result.kind === 'matched') advice.push({ document: name, rule: rule.name, effect: rule.effect })
    if (result.kind === 'failed') advice.push(failure(name, rule, result.problem))
  }
  for (const index of [indexes.deny, indexes.approval]) {
    for (const rule of index.find(action)) {
      const result = rule.condition.evaluate(activation)
      if (result.kind === 'matched') return { kind: 'deny', code: rule.code, reason: rule.reason, rule: rule.name }
      if (result.kind === 'failed') return undecided(rule, result.problem)
    }
  }
  let failed: DocumentVerdict | undefined
  for (const rule of indexes.allow.find(action)) {
    const result = rule.condition.evaluate(activation)
    if (result.kind === 'matched') return { kind: 'allow', rule: rule.name }
    if (result.kind === 'failed') {
      advice.push(failure(name, rule, result.problem))
      failed ??= undecided(rule, result.problem)
    }
  }
  if (document.default === 'allow') return { kind: 'allow', rule: defaultRuleName }
  return (
    failed ?? {
      kind: 'deny',
      code: 'policy.denied',
      reason: `no rule of the document ${name} allows ${action}`,
      rule: defaultRuleName,
    }
  )
}

function failure(document: string, rule: PolicyRule, problem: string): PolicyAdvice {
  return { document, rule: rule.name, effect: rule.effect, failed: problem }
}

function undecided(rule: PolicyRule, problem: string): DocumentVerdict {
  const reason = `the rule ${rule.name} could not be evaluated: ${problem}`
  return { kind: 'deny', code: 'policy.evaluation-failed', reason, rule: rule.name }
}
