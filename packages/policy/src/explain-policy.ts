import { createHopView, type HopView } from './condition/hop-view.ts'
import { Failure } from './condition/failure.ts'
import { decidePolicy, type PolicyDecision } from './decide-policy.ts'
import { isPolicyDocument, type PolicyDocument } from './language/policy-document.ts'
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
  const decision = decidePolicy(set, input)
  const { rewritten } = decision
  const decidedOn: PolicyInput = rewritten ? { ...input, body: () => rewritten.body } : input
  const view = createHopView(decidedOn)
  const before = createHopView(input)
  const rules = set.documents.flatMap((engine) =>
    isPolicyDocument(engine) ? explainDocument(engine, view, before) : (engine.explain?.(decidedOn) ?? []),
  )
  return { decision, rules }
}

function explainDocument(document: PolicyDocument, view: HopView, before: HopView): readonly RuleExplanation[] {
  return document.compiled.map((rule) => {
    const facts = { document: document.name, rule: rule.name, effect: rule.effect }
    const read = rule.effect === 'transform' ? before : view
    const result = rule.condition.evaluate(read)
    if (result === true) return { ...facts, result: 'matched' }
    if (result instanceof Failure) return { ...facts, result: 'failed', because: result.problem }
    const { clauses } = rule.condition
    const held = clauses.findIndex((each) => each.evaluate(read) === false)
    const clause = clauses[held]
    return { ...facts, result: 'not-matched', ...(clause ? { because: clause.text, held } : {}) }
  })
}
