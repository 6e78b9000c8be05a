import type { ConditionClause } from '../condition/condition.ts'
import { Failure } from '../condition/failure.ts'
import type { HopView } from '../condition/hop-view.ts'
import type { BoundOp, IndexClause } from '../condition/index-clause.ts'
import type { Evaluate } from '../condition/native-value.ts'

/** Tests a value of the hop against a literal; undefined where the value is none that the test is for. */
type Holds = (view: HopView, literal: unknown) => boolean | undefined

/**
 * Clauses of one rule as data: functions that all rules share, each with the literal of this rule. Of ten thousand rules a
 * decision finds another one each time, and waits for every place in memory that it has to look at: a rule must not be
 * spread over closures of its own.
 */
export interface ClauseCheck {
  readonly holds: Holds
  readonly literal: unknown
  readonly next: ClauseCheck | undefined
}

/** Makes checks of clauses; undefined where one of them does not compare what it reads with a literal. */
export type MakeChecks = (clauses: readonly ConditionClause[]) => ClauseCheck | undefined

const holdsAlways: ClauseCheck = { holds: () => true, literal: undefined, next: undefined }

/** Creates the maker of checks for rules that are found together. */
export function createCheckMaker(): MakeChecks {
  const shared = new Map<string, Holds>()
  const share = (clause: IndexClause): Holds => {
    const key = `${clause.path} ${testOf(clause)}`
    const known = shared.get(key)
    if (known) return known
    const made = createTest(clause)
    shared.set(key, made)
    return made
  }
  return (clauses) => {
    if (clauses.length === 0) return holdsAlways
    let next: ClauseCheck | undefined
    for (const { index } of clauses.toReversed()) {
      if (!index) return undefined
      next = { holds: share(index), literal: literalOf(index), next }
    }
    return next
  }
}

/** Tells whether all checks hold; undefined where the whole condition has to be evaluated to know, or to say why not. */
export function holdAll(first: ClauseCheck, view: HopView): boolean | undefined {
  let result: boolean | undefined = true
  for (let check: ClauseCheck | undefined = first; check !== undefined; check = check.next) {
    const value = check.holds(view, check.literal)
    if (value === false) return false
    if (value === undefined) result = undefined
  }
  return result
}

function testOf(clause: IndexClause): string {
  if (clause.kind === 'bound') return clause.op
  return isOne(clause) ? 'is' : clause.kind
}

function isOne(clause: IndexClause): boolean {
  return clause.kind === 'equal' && clause.values.length === 1
}

function literalOf(clause: IndexClause): unknown {
  switch (clause.kind) {
    case 'equal':
      return isOne(clause) ? clause.values[0] : clause.values
    case 'prefix':
      return clause.prefix
    case 'bound':
      return clause.bound
  }
}

function createTest(clause: IndexClause): Holds {
  const { read } = clause
  if (clause.kind === 'prefix') {
    return (view, literal) => {
      const value = read(view)
      return typeof value === 'string' ? value.startsWith(literal as string) : undefined
    }
  }
  if (clause.kind === 'bound') return createBoundTest(read, clause.op)
  if (isOne(clause)) {
    return (view, literal) => {
      const value = read(view)
      return value instanceof Failure ? undefined : value === literal
    }
  }
  return (view, literal) => {
    const value = read(view)
    return value instanceof Failure ? undefined : (literal as readonly unknown[]).includes(value)
  }
}

function createBoundTest(read: Evaluate, op: BoundOp): Holds {
  const test = (holds: (value: number, bound: number) => boolean): Holds => {
    return (view, literal) => {
      const value = read(view)
      return typeof value === 'number' ? holds(value, literal as number) : undefined
    }
  }
  switch (op) {
    case '<':
      return test((value, bound) => value < bound)
    case '<=':
      return test((value, bound) => value <= bound)
    case '>':
      return test((value, bound) => value > bound)
    case '>=':
      return test((value, bound) => value >= bound)
  }
}
