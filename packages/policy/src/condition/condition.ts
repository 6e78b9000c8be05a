import type { ReportProblem } from '../policy-problem.ts'
import { checkCondition } from './check-condition.ts'
import { compileNative } from './compile-native.ts'
import { clausesOf } from './condition-clauses.ts'
import { Failure } from './failure.ts'
import type { HopView } from './hop-view.ts'
import { readIndexClause, type IndexClause } from './index-clause.ts'
import { evaluateByLibrary, parseCel, type ParsedCel } from './parse-cel.ts'
import { allOf } from './native-logic.ts'
import { textOf, type Evaluate, type NativeScope } from './native-value.ts'

/** A compiled `when`. */
export interface Condition {
  readonly text: string
  /** What is joined by `&&` at its top. */
  readonly clauses: readonly ConditionClause[]
  /** Never throws: what cannot be evaluated is a `Failure`. */
  evaluate(view: HopView): boolean | Failure
  /** Evaluates the rest where it is known that `clause` holds. */
  without(clause: ConditionClause): (view: HopView) => boolean | Failure
}

/** One clause of a condition. */
export interface ConditionClause {
  readonly text: string
  /** How a rule can be found by it. */
  readonly index: IndexClause | undefined
  evaluate(view: HopView): boolean | Failure
}

const noBool = new Failure('the condition gave no bool')

/**
 * Compiles a condition in CEL (Common Expression Language), typed by the input schema. Reports every mistake at its
 * character offset and returns undefined if there is one; a condition that compiles takes time linear in the body.
 */
export function compileCondition(text: string, report: ReportProblem, scope: NativeScope = {}): Condition | undefined {
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
  const runs: Test[] = []
  const nodes = clausesOf(parsed.ast)
  const clauses = nodes.map((node): ConditionClause => {
    const native = compileNative(node, scope)
    const run = native?.type === 'bool' ? (native.run as Test) : asTest(native?.run ?? evaluateByLibrary(node))
    runs.push(run)
    return { text: textOf(node), index: readIndexClause(node, scope), evaluate: run }
  })
  const evaluate = allOf(runs) as Test
  return {
    text,
    clauses,
    evaluate,
    without(clause) {
      const rest = runs.filter((_, at) => clauses[at] !== clause)
      return rest.length === 0 ? holds : (allOf(rest) as Test)
    },
  }
}

/** Compiles an expression that gives a value. `numeric` refuses one that is known to be no number. */
export function compileExpression(text: string, numeric: boolean, report: ReportProblem): Evaluate | undefined {
  const parsed = parseChecked(text, report)
  if (!parsed) return undefined
  if (numeric && !['int', 'double', 'dyn'].includes(parsed.type)) {
    report(0, `the expression is of type ${parsed.type}, not a number`)
    return undefined
  }
  return compileNative(parsed.ast, {})?.run ?? parsed.run
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

/** What a condition is once it is known to give a bool, or to fail. */
type Test = (view: HopView) => boolean | Failure

function asTest(run: Evaluate): Test {
  return (view) => {
    const value = run(view)
    return typeof value === 'boolean' || value instanceof Failure ? value : noBool
  }
}

function holds(): boolean {
  return true
}
