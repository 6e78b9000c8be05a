import { Failure } from '../condition/failure.ts'
import { readBody, type HopView } from '../condition/hop-view.ts'
import { createRuleIndex } from '../index/rule-index.ts'
import { rewriteBody } from './body-rewrite.ts'
import type { PolicyRule } from './policy-rule.ts'

/** Says that it is not known how a body has to be changed: then nothing may be decided on it. */
export class UnreadableRule extends Error {
  readonly rule: string

  constructor(rule: string, problem: string) {
    super(`the rule ${rule} could not be evaluated: ${problem}`)
    this.rule = rule
  }
}

/** What the transforms of one document made of a body. */
export interface RewrittenBody {
  readonly rules: readonly string[]
  readonly body: unknown
}

/** Creates what applies the transforms of a document, each that matches, in their order. All look at the body as it came. */
export function createRewriter(rules: readonly PolicyRule[]): (view: HopView) => RewrittenBody | undefined {
  const index = createRuleIndex(rules.filter(({ effect }) => effect === 'transform'))
  if (index.size === 0) return () => undefined
  return (view) => {
    const applied: string[] = []
    let body: unknown
    index.each(view, (rule, failure) => {
      if (failure) throw new UnreadableRule(rule.name, failure.problem)
      const before = applied.length === 0 ? readBody(view) : body
      const made = before instanceof Failure ? before : rewriteBody(rule.rewrites, before, view)
      if (made instanceof Failure) throw new UnreadableRule(rule.name, made.problem)
      body = made
      applied.push(rule.name)
    })
    return applied.length === 0 ? undefined : { rules: applied, body }
  }
}
