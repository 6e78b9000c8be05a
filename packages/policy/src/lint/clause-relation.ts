import type { Condition, ConditionClause } from '../condition/condition.ts'
import type { IndexClause } from '../condition/index-clause.ts'
import type { NumberRange } from '../condition/input-schema.ts'

/** Tells whether two clauses can never both hold: they ask different things of one value. */
export function clausesExclude(left: IndexClause, right: IndexClause): boolean {
  if (left.path !== right.path) return false
  if (left.kind === 'equal') return left.values.every((value) => !accepts(right, value))
  if (right.kind === 'equal') return clausesExclude(right, left)
  if (left.kind === 'prefix' && right.kind === 'prefix')
    return !left.prefix.startsWith(right.prefix) && !right.prefix.startsWith(left.prefix)
  // A text and a number.
  if (left.kind === 'prefix' || right.kind === 'prefix') return true
  return boundsExclude(left, right)
}

/** Tells whether `strong` holding means that `weak` holds. */
function clauseImplies(strong: ConditionClause, weak: ConditionClause): boolean {
  if (strong.text === weak.text) return true
  const { index: from } = strong
  const { index: to } = weak
  if (!from || !to || from.path !== to.path) return false
  if (from.kind === 'equal') return from.values.every((value) => accepts(to, value))
  if (from.kind === 'prefix') return to.kind === 'prefix' && from.prefix.startsWith(to.prefix)
  if (to.kind !== 'bound' || isLower(from) !== isLower(to)) return false
  if (from.bound === to.bound) return isStrict(from) || !isStrict(to)
  return isLower(from) ? from.bound > to.bound : from.bound < to.bound
}

/** Tells whether `strong` holding means that `weak` holds, by their clauses alone: it may say no where it does. */
export function conditionImplies(strong: Condition, weak: Condition): boolean {
  return weak.clauses.every(
    (clause) => clause.text === 'true' || strong.clauses.some((own) => clauseImplies(own, clause)),
  )
}

/** Finds two clauses of a condition that can never both hold. */
export function findContradiction({ clauses }: Condition): readonly [ConditionClause, ConditionClause] | undefined {
  for (const [at, left] of clauses.entries())
    for (const right of clauses.slice(at + 1))
      if (left.index && right.index && clausesExclude(left.index, right.index)) return [left, right]
  return undefined
}

/** Tells whether no value of a range lets a clause hold. */
export function excludesRange(clause: IndexClause, [lowest, highest]: NumberRange): boolean {
  switch (clause.kind) {
    case 'equal':
      return clause.values.every((value) => typeof value !== 'number' || value < lowest || value > highest)
    case 'prefix':
      return true
    case 'bound': {
      const nearest = isLower(clause) ? highest : lowest
      return !accepts(clause, nearest)
    }
  }
}

function accepts(clause: IndexClause, value: string | number | boolean): boolean {
  switch (clause.kind) {
    case 'equal':
      return clause.values.includes(value)
    case 'prefix':
      return typeof value === 'string' && value.startsWith(clause.prefix)
    case 'bound': {
      if (typeof value !== 'number') return false
      if (value === clause.bound) return !isStrict(clause)
      return isLower(clause) ? value > clause.bound : value < clause.bound
    }
  }
}

type Bound = IndexClause & { readonly kind: 'bound' }

function boundsExclude(left: Bound, right: Bound): boolean {
  if (isLower(left) === isLower(right)) return false
  const [lower, upper] = isLower(left) ? [left, right] : [right, left]
  return lower.bound > upper.bound || (lower.bound === upper.bound && (isStrict(lower) || isStrict(upper)))
}

function isLower({ op }: Bound): boolean {
  return op === '>' || op === '>='
}

function isStrict({ op }: Bound): boolean {
  return op === '>' || op === '<'
}
