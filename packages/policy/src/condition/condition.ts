import type { ReportProblem } from '../policy-problem.ts'
import { checkCondition } from './check-condition.ts'
import { compileNative } from './compile-native.ts'
import { clausesOf } from './condition-clauses.ts'
import { Failure } from './failure.ts'
import type { HopView } from './hop-view.ts'
import { readIndexClause, type IndexClause } from './index-clause.ts'
import { evaluateByLibrary, parseCel, type ParsedCel } from './parse-cel.ts'
import { allOf } from './native-logic.ts'
import { textOf, type Evaluate } from './native-value.ts'

/** A compiled `when`. */
export interface Condition {
  readonly text: string
  /** What is joined by `&&` at its top. */
  readonly clauses: readonly ConditionClause[]
  /** Never throws: what cannot be evaluated is a `Failure`. */
  evaluate(view: HopView): boolean | Failure
}

/** One clause of a condition. */
export interface ConditionClause {
  readonly text: string
  /** How a rule can be found by it. */
  readonly index: IndexClause | undefined
  evaluate(view: HopView): boolean | Failure
}

const noBool = new Failure('the condition gave no bool')
const unreadable = new Failure('the input could not be read')

/**
 * Compiles a condition in CEL (Common Expression Language), typed by the input schema. Reports every mistake at its
 * character offset and returns undefined if there is one; a condition that compiles takes time linear in the body.
 */
export function compileCondition(text: string, report: ReportProblem): Condition | undefined {
  const parsed = parseChecked(text, report)
  if (!parsed) return undefined
  if (parsed.type !== 'bool') {
    const hint = parsed.type === 'dyn' ? '; compare it, for instance with == true' : ''
    report(0, `the condition is of type ${parsed.type}, not bool${hint}`)
    return undefined
  }
  if (parsed.ast.op === 'value' && parsed.ast.args === false) {
    report(0, 'the condition is always false: the rule never decides')
    return undefined
  }
  const runs: Evaluate[] = []
  const clauses = clausesOf(parsed.ast).map((node): ConditionClause => {
    const run = compileNative(node, {})?.run ?? evaluateByLibrary(node)
    runs.push(run)
    return { text: textOf(node), index: readIndexClause(node), evaluate: guard(run) }
  })
  const [only] = clauses
  return { text, clauses, evaluate: only && clauses.length === 1 ? only.evaluate : guard(allOf(runs)) }
}

/** Compiles an expression that gives a value. `numeric` refuses one that is known to be no number. */
export function compileExpression(text: string, numeric: boolean, report: ReportProblem): Evaluate | undefined {
  const parsed = parseChecked(text, report)
  if (!parsed) return undefined
  if (numeric && !['int', 'double', 'dyn'].includes(parsed.type)) {
    report(0, `the expression is of type ${parsed.type}, not a number`)
    return undefined
  }
  const run = compileNative(parsed.ast, {})?.run ?? parsed.run
  return (view) => {
    try {
      return run(view)
    } catch {
      return unreadable
    }
  }
}

function parseChecked(text: string, report: ReportProblem): (ParsedCel & { readonly type: string }) | undefined {
  const parsed = parseCel(text)
  if (parsed.problem) {
    report(parsed.problem.offset, parsed.problem.text)
    return undefined
  }
  if (!checkCondition(parsed.ast, report)) return undefined
  const checked = parsed.check()
  if (typeof checked !== 'string') {
    report(checked.offset, checked.text)
    return undefined
  }
  return { ...parsed, type: checked }
}

function guard(run: Evaluate): (view: HopView) => boolean | Failure {
  return (view) => {
    try {
      const value = run(view)
      return typeof value === 'boolean' || value instanceof Failure ? value : noBool
    } catch {
      return unreadable
    }
  }
}
