import type { IndexClause } from '../condition/index-clause.ts'
import { numberRanges } from '../condition/input-schema.ts'
import { isPolicyDocument, type PolicyDocument } from '../language/policy-document.ts'
import type { PolicyRule } from '../language/policy-rule.ts'
import type { PolicyProblem } from '../policy-problem.ts'
import type { PolicySet } from '../policy-set.ts'
import { clausesExclude, conditionImplies, excludesRange } from './clause-relation.ts'

/** Something that a set may well mean, and that its author should have seen. */
export interface PolicyFinding extends PolicyProblem {
  /**
   * `never-decides`: another rule always decides before it. `never-matches`: it compares a number with what is out of its range.
   * `overlap`: an allow and a deny speak of the same.
   */
  readonly kind: 'never-decides' | 'never-matches' | 'overlap'
}

/** Above this many rules of one kind only those about the same value are compared, or lint would take minutes. */
const maxCompared = 2_000

/**
 * Finds, in a set that loads, rules that never decide because another one always does before them, rules that never match
 * because a number cannot be what they ask for, and allows and denies that speak of the same. It looks at the clauses alone, so it misses some and never makes one up.
 */
export function lintPolicy({ documents }: Pick<PolicySet, 'documents'>): readonly PolicyFinding[] {
  return documents.flatMap((engine) =>
    isPolicyDocument(engine) && !engine.name.startsWith('parley:') ? lintDocument(engine) : [],
  )
}

function lintDocument(document: PolicyDocument): readonly PolicyFinding[] {
  const findings: PolicyFinding[] = []
  const { compiled, conflicts, file } = document
  const deciding = compiled.filter(({ effect }) => ['allow', 'deny', 'require_approval'].includes(effect))
  const tell = (kind: PolicyFinding['kind'], rule: PolicyRule, problem: string): void => {
    findings.push({ kind, file, ...rule.position, problem })
  }
  for (const rule of compiled) {
    const beyond = rule.condition.clauses.find(({ index }) => index && isBeyond(index))
    const [lowest, highest] = numberRanges[beyond?.index?.path ?? ''] ?? []
    if (beyond)
      tell(
        'never-matches',
        rule,
        `the rule ${rule.name} never matches: ${beyond.text}, but it is ${String(lowest)} to ${String(highest)}`,
      )
  }
  const isLarge = deciding.length > maxCompared
  for (const [at, rule] of deciding.entries()) {
    // What has terms of its own does something though it does not decide.
    const hasTerms = rule.limits.length + rule.obligations.length > 0
    for (const [other, before] of deciding.entries()) {
      if (other === at || (isLarge && !sharesValue(rule, before))) continue
      const first = comesFirst(before, other, rule, at, conflicts)
      if (first && !hasTerms && conditionImplies(rule.condition, before.condition)) {
        tell('never-decides', rule, `the rule ${rule.name} never decides: ${before.name} always does before it`)
        break
      }
    }
    if (rule.effect !== 'allow') continue
    const denies = deciding.filter(
      (other) => other.effect === 'deny' && sharesValue(rule, other) && !excludes(rule, other),
    )
    for (const deny of denies.slice(0, 3))
      tell('overlap', rule, `the rule ${rule.name} allows what ${deny.name} may deny; ${conflicts} decides`)
  }
  return findings
}

function isBeyond(clause: IndexClause): boolean {
  const range = numberRanges[clause.path]
  return range !== undefined && excludesRange(clause, range)
}

const strictness: Readonly<Record<string, number>> = { deny: 0, require_approval: 1, allow: 2 }
const laxity: Readonly<Record<string, number>> = { allow: 0, deny: 1, require_approval: 2 }

/** Tells whether `before` is asked before `rule`, whatever the hop. */
function comesFirst(
  before: PolicyRule,
  beforeAt: number,
  rule: PolicyRule,
  at: number,
  conflicts: PolicyDocument['conflicts'],
): boolean {
  const byRank = (ranks: Readonly<Record<string, number>>): boolean => {
    const [left = 0, right = 0] = [ranks[before.effect], ranks[rule.effect]]
    return left < right || (left === right && beforeAt < at)
  }
  switch (conflicts) {
    case 'deny_overrides':
      return byRank(strictness)
    case 'allow_overrides':
      return byRank(laxity)
    case 'priority_first_match':
      return before.priority > rule.priority || (before.priority === rule.priority && beforeAt < at)
    case 'most_specific_wins':
      return before.scope === rule.scope && byRank(strictness)
  }
}

/** Both name a value of the same thing, and one that they have in common. */
function sharesValue(left: PolicyRule, right: PolicyRule): boolean {
  return left.condition.clauses.some(({ index: own }) =>
    right.condition.clauses.some(
      ({ index: other }) =>
        own?.kind === 'equal' && other?.kind === 'equal' && own.path === other.path && !clausesExclude(own, other),
    ),
  )
}

function excludes(left: PolicyRule, right: PolicyRule): boolean {
  return left.condition.clauses.some(({ index: own, text }) =>
    right.condition.clauses.some(
      ({ index: other, text: otherText }) =>
        (own && other && clausesExclude(own, other)) || text === `!(${otherText})` || otherText === `!(${text})`,
    ),
  )
}
