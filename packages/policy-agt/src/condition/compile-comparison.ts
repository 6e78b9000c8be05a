import { ConditionFault } from './condition-token.ts'
import { subjectOf, type ConditionSubject, type ToolkitFacts } from './condition-subject.ts'
import type { Comparison, ComparisonOperator, Literal } from './condition-tree.ts'
import type { Truth } from './truth.ts'

/** Asks one comparison of a hop. May throw what reading the body throws. */
export type AskComparison = (facts: ToolkitFacts) => Truth

const ordered: ReadonlySet<ComparisonOperator> = new Set(['>', '>=', '<', '<='])

/**
 * Compiles one comparison; what cannot be honoured is appended to `problems`, each with its offset.
 *
 * An argument that is missing equals nothing, is in no list, and is neither above nor below a number; alone it is false.
 * One that is there but of another type than what it is compared with leaves the condition undecided: neither `["drop"]`
 * nor null is a way around `== 'drop'`.
 */
export function compileComparison(tree: Comparison, text: string, problems: ConditionFault[]): AskComparison {
  let subject: ConditionSubject
  try {
    subject = subjectOf(tree)
  } catch (error) {
    if (!(error instanceof ConditionFault)) throw error
    problems.push(error)
    return () => false
  }
  return subject.kind === 'fact'
    ? compileFact(tree, subject, problems)
    : compileArgument(tree, subject.steps, text, problems)
}

function compileFact(
  { operator, literals, path, offset }: Comparison,
  { check, read }: Extract<ConditionSubject, { kind: 'fact' }>,
  problems: ConditionFault[],
): AskComparison {
  if (operator === undefined) {
    problems.push(new ConditionFault(offset, `${path} is always there: compare it with something`))
    return () => false
  }
  if (ordered.has(operator) && !check.ordered) {
    problems.push(new ConditionFault(offset, `${path} is a text and has no ${operator}: write ==, !=, in or not in`))
  }
  for (const literal of literals) {
    const problem = check.problem(literal)
    if (problem !== undefined) problems.push(new ConditionFault(literal.offset, problem))
  }
  const values = literals.map(({ value }) => value)
  const [first = ''] = values
  if (ordered.has(operator)) return (facts) => compareNumbers(operator, Number(read(facts)), Number(first))
  const negative = operator === '!=' || operator === 'not in'
  return (facts) => {
    const fact = read(facts)
    return values.some((value) => check.means(value, fact)) !== negative
  }
}

function compileArgument(
  { operator, literals }: Comparison,
  steps: readonly string[],
  text: string,
  problems: ConditionFault[],
): AskComparison {
  if (operator === undefined) return (facts) => Boolean(argumentAt(facts.body(), steps))
  const values: ReadonlySet<Literal> = new Set(literals.map(({ value }) => value))
  const types: ReadonlySet<string> = new Set([...values].map((value) => typeof value))
  const undecided: Truth = { problem: `an argument of another type in ${text}` }
  if (ordered.has(operator)) {
    const [limit] = literals
    if (limit !== undefined && typeof limit.value !== 'number') {
      problems.push(new ConditionFault(limit.offset, `${operator} compares numbers`))
    }
    const bound = Number(limit?.value)
    return (facts) => {
      const value = argumentAt(facts.body(), steps)
      if (value === undefined) return false
      return typeof value === 'number' ? compareNumbers(operator, value, bound) : undecided
    }
  }
  const negative = operator === '!=' || operator === 'not in'
  return (facts) => {
    const value = argumentAt(facts.body(), steps)
    if (value === undefined) return negative
    if (!isLiteral(value) || !types.has(typeof value)) return undecided
    return values.has(value) !== negative
  }
}

function argumentAt(body: unknown, steps: readonly string[]): unknown {
  let value = body
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step))
      return undefined
    value = (value as Readonly<Record<string, unknown>>)[step]
  }
  return value
}

function isLiteral(value: unknown): value is Literal {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function compareNumbers(operator: ComparisonOperator, left: number, right: number): boolean {
  switch (operator) {
    case '>':
      return left > right
    case '>=':
      return left >= right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '==':
    case '!=':
    case 'in':
    case 'not in':
      return false
  }
}
