import { ConditionFault } from './condition-token.ts'
import type { ToolkitFacts } from './condition-subject.ts'
import type { ConditionTree } from './condition-tree.ts'
import { compileComparison } from './compile-comparison.ts'
import { parseCondition } from './parse-condition.ts'
import type { Truth, Undecided } from './truth.ts'

/** A compiled condition. */
export interface ToolkitCondition {
  readonly text: string
  /** The only words for an action for which it can hold; undefined if it says nothing of the action. */
  readonly actions: readonly string[] | undefined
  /** Never throws. */
  evaluate(facts: ToolkitFacts): Truth
  /** Names the first of the clauses joined by `and` at its top that did not hold. */
  firstFalse(facts: ToolkitFacts): string | undefined
}

/** A part of a condition, ready to be asked. */
interface Clause {
  readonly text: string
  ask(facts: ToolkitFacts): Truth
}

/** The condition of a rule that gives none: it always holds. */
export const always: ToolkitCondition = {
  text: 'true',
  actions: undefined,
  evaluate: () => true,
  firstFalse: () => undefined,
}

/**
 * Compiles a condition of the form `governance.toolkit/v1`. Reports what cannot be honoured at its offset in `text` and
 * returns undefined then. `and`, `or` and `not` are decided where one side is enough; what is left is undecided, not false.
 */
export function compileToolkitCondition(
  text: string,
  report: (offset: number, problem: string) => void,
): ToolkitCondition | undefined {
  let tree: ConditionTree
  const problems: ConditionFault[] = []
  try {
    tree = parseCondition(text)
  } catch (error) {
    if (!(error instanceof ConditionFault)) throw error
    report(error.offset, `the condition does not parse: ${error.message}`)
    return undefined
  }
  const parts = tree.kind === 'and' ? tree.parts : [tree]
  const clauses = parts.map((part) => compileTree(part, text, problems))
  for (const { offset, message } of problems) report(offset, message)
  if (problems.length > 0) return undefined
  const whole = joinAnd(clauses)
  return {
    text,
    actions: requiredActions(parts),
    evaluate: (facts) => guarded(whole, facts),
    firstFalse: (facts) => clauses.find((clause) => guarded(clause.ask, facts) === false)?.text,
  }
}

function guarded(ask: Clause['ask'], facts: ToolkitFacts): Truth {
  try {
    return ask(facts)
  } catch (error) {
    // Reading the body is the one thing that throws: it is the caller's bytes, or nested too deeply.
    return { problem: error instanceof RangeError ? error.message : 'the input could not be read' }
  }
}

function compileTree(tree: ConditionTree, source: string, problems: ConditionFault[]): Clause {
  const text = source.slice(tree.offset, tree.end)
  switch (tree.kind) {
    case 'comparison':
      return { text, ask: compileComparison(tree, text, problems) }
    case 'not': {
      const { ask } = compileTree(tree.part, source, problems)
      return {
        text,
        ask: (facts) => {
          const truth = ask(facts)
          return typeof truth === 'boolean' ? !truth : truth
        },
      }
    }
    case 'and':
      return { text, ask: joinAnd(tree.parts.map((part) => compileTree(part, source, problems))) }
    case 'or':
      return { text, ask: joinOr(tree.parts.map((part) => compileTree(part, source, problems))) }
  }
}

function joinAnd(clauses: readonly Clause[]): Clause['ask'] {
  const [only] = clauses
  if (only !== undefined && clauses.length === 1) return only.ask
  return (facts) => {
    let undecided: Undecided | undefined
    for (const { ask } of clauses) {
      const truth = ask(facts)
      if (truth === false) return false
      if (truth !== true) undecided ??= truth
    }
    return undecided ?? true
  }
}

function joinOr(clauses: readonly Clause[]): Clause['ask'] {
  return (facts) => {
    let undecided: Undecided | undefined
    for (const { ask } of clauses) {
      const truth = ask(facts)
      if (truth === true) return true
      if (truth !== false) undecided ??= truth
    }
    return undecided ?? false
  }
}

/** Skipping a rule for other actions changes nothing: a false clause makes the whole false even if another is undecided. */
function requiredActions(clauses: readonly ConditionTree[]): readonly string[] | undefined {
  for (const clause of clauses) {
    if (clause.kind !== 'comparison' || clause.path !== 'action.type') continue
    if (clause.operator === '==' || clause.operator === 'in') return clause.literals.map(({ value }) => String(value))
  }
  return undefined
}
