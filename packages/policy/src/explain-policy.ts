import { createActivation, type Activation } from './activation.ts'
import { compileCondition, type Condition } from './condition.ts'
import { decidePolicy, type PolicyDecision } from './decide-policy.ts'
import type { PolicyInput } from './policy-input.ts'
import type { PolicySet } from './policy-set.ts'
import type { RuleExplanation } from './rule-explanation.ts'

/** A decision with every rule of every document, also of those that it did not have to ask. */
export interface PolicyExplanation {
  readonly decision: PolicyDecision
  readonly rules: readonly RuleExplanation[]
}

/** Decides like `decidePolicy` and says of each rule whether it matched, and why not. For people: it asks every rule. */
export function explainPolicy(set: PolicySet, input: PolicyInput): PolicyExplanation {
  const activation = createActivation(input)
  const rules = set.documents.flatMap((document) =>
    document.rules.map((rule): RuleExplanation => {
      const facts = { document: document.name, rule: rule.name, effect: rule.effect }
      const result = rule.condition.evaluate(activation)
      if (result.kind === 'matched') return { ...facts, result: 'matched' }
      if (result.kind === 'failed') return { ...facts, result: 'failed', because: result.problem }
      const clause = firstFalseClause(rule.condition, activation)
      return { ...facts, result: 'not-matched', ...(clause !== undefined && { because: clause }) }
    }),
  )
  return { decision: decidePolicy(set, input), rules }
}

function firstFalseClause(condition: Condition, activation: Activation): string | undefined {
  return condition.clauses.find((text) => {
    const clause = compileCondition(text, () => {})
    return clause?.evaluate(activation).kind === 'not-matched'
  })
}
