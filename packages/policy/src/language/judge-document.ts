import { Failure } from '../condition/failure.ts'
import type { HopView } from '../condition/hop-view.ts'
import type { EngineAdvice, EngineAllow, EngineDeny, EngineVerdict } from '../engine-verdict.ts'
import { createRuleIndex, isFailedRule, type FailedRule, type RuleIndex, type Skipped } from '../index/rule-index.ts'
import type { PolicyLimit } from '../policy-limit.ts'
import { defaultRuleName } from './compile-rule.ts'
import type { ConflictStrategy } from './policy-document.ts'
import { ruleScopes, type PolicyRule } from './policy-rule.ts'

/** What judging needs of a document. */
export interface JudgedDocument {
  readonly name: string
  readonly default: 'allow' | 'deny'
  readonly conflicts: ConflictStrategy
  /** Rules of its parents that its own cannot override: they are asked first. */
  readonly guards: readonly PolicyRule[]
  /** All its rules, those of its parents among them. */
  readonly rules: readonly PolicyRule[]
}

/**
 * Creates the judge of one document: its passes, one after the other, are the order of one index, so that what an action is
 * about is looked up once. The first rule that matches decides; what none decides, the default does.
 *
 * I1 A rule that throws never allows: one that would deny or ask denies then, one that would allow is passed over.
 * I2 Limits and obligations hold whenever their rule's condition does, whichever rule decides. Limits are for what is done:
 *    a way back is never refused for want of tokens.
 * I3 Guards come first, under every strategy.
 */
export function createJudge(document: JudgedDocument): (view: HopView) => EngineVerdict {
  const { rules } = document
  const deciding = createRuleIndex(passesOf(document).flat())
  const advising = createRuleIndex(rules.filter(({ effect }) => effect === 'warn' || effect === 'log'))
  const binding = createRuleIndex(rules.filter(({ limits, obligations }) => limits.length + obligations.length > 0))
  const byDefault = decideDefault(document)
  return (view) => {
    const advice = advising.size === 0 ? none : collectAdvice(advising, view)
    const bound = binding.size === 0 ? unbound : collectBound(binding, view)
    if (bound.kind === 'deny') return withAdvice(bound, advice)
    const skipped: Skipped<PolicyRule> = { rules: undefined }
    const found = deciding.first(view, skipped)
    const noted = skipped.rules ? [...advice, ...skipped.rules.map(describeFailure)] : advice
    if (found === undefined) {
      if (byDefault.kind === 'allow') return addTerms(byDefault, bound, noted)
      const failed = skipped.rules?.[0]
      return withAdvice(failed ? undecided(failed) : denyByDefault(byDefault, view), noted)
    }
    if (isFailedRule(found)) return withAdvice(undecided(found), noted)
    if (found.effect === 'deny') {
      return withAdvice({ kind: 'deny', rule: found.name, code: found.code, reason: found.reason }, noted)
    }
    if (found.demand !== undefined) {
      const { name, reason, demand } = found
      return { kind: 'require_approval', rule: name, reason, demand, ...termsOf(bound), ...adviceOf(noted) }
    }
    return addTerms(found.allow, bound, noted)
  }
}

const none: readonly EngineAdvice[] = []

interface Bound {
  readonly kind: 'bound'
  readonly limits: readonly PolicyLimit[]
  readonly obligations: readonly string[]
}

const unbound: Bound = { kind: 'bound', limits: [], obligations: [] }

function passesOf({ conflicts, guards, rules }: JudgedDocument): readonly (readonly PolicyRule[])[] {
  const guarding = new Set(guards)
  const own = rules.filter((rule) => !guarding.has(rule))
  const by = (list: readonly PolicyRule[], effect: PolicyRule['effect']): readonly PolicyRule[] =>
    list.filter((rule) => rule.effect === effect)
  const strictFirst = (list: readonly PolicyRule[]): readonly (readonly PolicyRule[])[] => [
    by(list, 'deny'),
    by(list, 'require_approval'),
    by(list, 'allow'),
  ]
  const first = [by(guards, 'deny'), by(guards, 'require_approval')]
  switch (conflicts) {
    case 'deny_overrides':
      return [...first, ...strictFirst(own)]
    case 'allow_overrides':
      return [...first, by(own, 'allow'), by(own, 'deny'), by(own, 'require_approval')]
    case 'priority_first_match': {
      const deciding = own.filter(({ effect }) => ['allow', 'deny', 'require_approval'].includes(effect))
      return [...first, deciding.toSorted((left, right) => right.priority - left.priority)]
    }
    case 'most_specific_wins':
      return [...first, ...ruleScopes.flatMap((scope) => strictFirst(own.filter((rule) => rule.scope === scope)))]
  }
}

function collectAdvice(index: RuleIndex<PolicyRule>, view: HopView): readonly EngineAdvice[] {
  const advice: EngineAdvice[] = []
  index.each(view, (rule, failure) => {
    advice.push(failure ? describeFailure({ rule, failure }) : { rule: rule.name, effect: rule.effect })
  })
  return advice
}

function collectBound(index: RuleIndex<PolicyRule>, view: HopView): Bound | EngineDeny {
  const limits: PolicyLimit[] = []
  const obligations = new Set<string>()
  let denied: EngineDeny | undefined
  index.each(view, (rule, failure) => {
    if (failure) denied ??= undecided({ rule, failure })
    for (const obligation of rule.obligations) obligations.add(obligation)
    for (const { max, perMs, amount } of view.input.phase === 'do' ? rule.limits : []) {
      const take = amount ? amount.read(view) : 1
      if (typeof take !== 'number' || !Number.isFinite(take) || take < 0) {
        const problem = take instanceof Failure ? take.problem : `${amount?.text ?? '1'} is no amount`
        denied ??= undecided({ rule, failure: new Failure(problem) })
      } else if (take > max) {
        const reason = `the rule ${rule.name} allows at most ${String(max)} of ${amount?.text ?? 'it'}`
        denied ??= { kind: 'deny', rule: rule.name, code: 'policy.denied', reason }
      } else if (perMs !== undefined) {
        limits.push(
          amount
            ? { rule: `${rule.name}.${amount.text}`, max, perMs, take, isAmount: true }
            : { rule: rule.name, max, perMs, take },
        )
      }
    }
  })
  return denied ?? { kind: 'bound', limits, obligations: [...obligations] }
}

function decideDefault(document: JudgedDocument): EngineAllow | EngineDeny {
  if (document.default === 'allow') return { kind: 'allow', rule: defaultRuleName }
  return { kind: 'deny', rule: defaultRuleName, code: 'policy.denied', reason: document.name }
}

function denyByDefault({ reason: document, ...verdict }: EngineDeny, { input }: HopView): EngineDeny {
  return { ...verdict, reason: `no rule of the document ${document} allows ${input.action}` }
}

function undecided({ rule, failure }: FailedRule<PolicyRule>): EngineDeny {
  const reason = `the rule ${rule.name} could not be evaluated: ${failure.problem}`
  return { kind: 'deny', rule: rule.name, code: 'policy.evaluation-failed', reason }
}

function describeFailure({ rule, failure }: FailedRule<PolicyRule>): EngineAdvice {
  return { rule: rule.name, effect: rule.effect, failed: failure.problem }
}

function addTerms(verdict: EngineAllow, bound: Bound, advice: readonly EngineAdvice[]): EngineAllow {
  if (bound === unbound && advice.length === 0) return verdict
  return { ...verdict, ...termsOf(bound), ...adviceOf(advice) }
}

function withAdvice(verdict: EngineDeny, advice: readonly EngineAdvice[]): EngineDeny {
  return advice.length === 0 ? verdict : { ...verdict, advice }
}

function termsOf({ limits, obligations }: Bound): Pick<EngineAllow, 'limits' | 'obligations'> {
  return { ...(limits.length > 0 ? { limits } : {}), ...(obligations.length > 0 ? { obligations } : {}) }
}

function adviceOf(advice: readonly EngineAdvice[]): Pick<EngineAllow, 'advice'> {
  return advice.length > 0 ? { advice } : {}
}
