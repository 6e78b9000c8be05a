import { EvaluationError, ParseError, TypeError as CelTypeError, type ASTNode } from '@marcbachmann/cel-js'
import type { Activation } from './activation.ts'
import { checkCondition } from './check-condition.ts'
import { clausesOf, requiredActions } from './condition-clauses.ts'
import { environment } from './environment.ts'
import type { ReportProblem } from './policy-problem.ts'

/** What a condition says of one hop. `problem` names code and clause, never a value of the input. */
export type ConditionResult =
  | { readonly kind: 'matched' }
  | { readonly kind: 'not-matched' }
  | { readonly kind: 'failed'; readonly problem: string }

/** A compiled `when`. */
export interface Condition {
  readonly text: string
  /** The only actions for which it can hold; undefined if it says nothing of the action. */
  readonly actions: readonly string[] | undefined
  /** The texts that are joined by `&&` at its top. */
  readonly clauses: readonly string[]
  /** Never throws: what cannot be evaluated is `failed`. */
  evaluate(activation: Activation): ConditionResult
}

const matched: ConditionResult = { kind: 'matched' }
const notMatched: ConditionResult = { kind: 'not-matched' }

/**
 * Compiles a condition in CEL (Common Expression Language), typed by the input schema. Reports every mistake at its
 * character offset and returns undefined if there is one; a condition that compiles takes time linear in the body.
 */
export function compileCondition(text: string, report: ReportProblem): Condition | undefined {
  let parsed
  try {
    parsed = environment.parse(text)
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    report(error.range?.start ?? 0, `the condition does not parse: ${error.summary}`)
    return undefined
  }
  if (!checkCondition(parsed.ast, report)) return undefined
  const checked = parsed.check()
  if (!checked.valid) {
    const { error } = checked
    report(error?.range?.start ?? 0, `the condition does not type-check: ${error?.summary ?? 'unknown reason'}`)
    return undefined
  }
  if (checked.type !== 'bool') {
    const hint = checked.type === 'dyn' ? '; compare it, for instance with == true' : ''
    report(0, `the condition is of type ${checked.type ?? 'unknown'}, not bool${hint}`)
    return undefined
  }
  return {
    text,
    actions: requiredActions(parsed.ast),
    clauses: clausesOf(parsed.ast).map(textOf),
    evaluate(activation) {
      try {
        const value: unknown = parsed(activation)
        if (value === true) return matched
        if (value === false) return notMatched
        return { kind: 'failed', problem: 'the condition gave no bool' }
      } catch (error) {
        return { kind: 'failed', problem: describe(error) }
      }
    },
  }
}

function textOf(node: ASTNode): string {
  return node.input.slice(node.start, node.end)
}

function describe(error: unknown): string {
  if (error instanceof EvaluationError || error instanceof CelTypeError) {
    return error.node === undefined ? error.code : `${error.code} in ${textOf(error.node)}`
  }
  if (error instanceof RangeError) return error.message
  return 'the input could not be read'
}
