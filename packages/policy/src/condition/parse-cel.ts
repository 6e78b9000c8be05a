import {
  EvaluationError,
  ParseError,
  serialize,
  TypeError as CelTypeError,
  type ASTNode,
  type ParseResult,
} from '@marcbachmann/cel-js'
import { activationOf, FailedPart } from './activation.ts'
import { environment, safeMatches } from './environment.ts'
import { Failure } from './failure.ts'
import { textOf, type Evaluate } from './native-value.ts'

/** A mistake at a character offset of an expression. */
export interface CelProblem {
  readonly offset: number
  readonly text: string
}

/** An expression as the CEL library reads it. */
export interface ParsedCel {
  readonly problem?: undefined
  readonly ast: ASTNode
  /** Gives its type, or what is wrong with its types. */
  check(): string | CelProblem
  /** Evaluates it by the library. Never throws. */
  readonly run: Evaluate
}

/** Evaluates a part of a checked expression by the library. */
export function evaluateByLibrary(node: ASTNode): Evaluate {
  const parsed = parseCel(serialize(node))
  if (!parsed.problem) parsed.check()
  return parsed.run
}

/** Parses an expression. */
export function parseCel(text: string): ParsedCel | { readonly problem: CelProblem; readonly run: Evaluate } {
  let parsed: ParseResult
  try {
    parsed = environment.parse(text)
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    const problem = { offset: error.range?.start ?? 0, text: `the condition does not parse: ${error.summary}` }
    return { problem, run: () => new Failure(problem.text) }
  }
  const { ast } = parsed
  const places: number[] = []
  collectMatches(ast, places)
  const library = places.length === 0 ? parsed : environment.parse(replaceMatches(text, places))
  return {
    ast,
    check() {
      const { valid, type, error } = library.check()
      if (valid) return type ?? 'unknown'
      const offset = error?.range?.start ?? 0
      return { offset, text: `the condition does not type-check: ${error?.summary ?? 'unknown reason'}` }
    },
    run(view) {
      try {
        return library(activationOf(view)) as unknown
      } catch (error) {
        return describe(error)
      }
    },
  }
}

function describe(error: unknown): Failure {
  if (error instanceof FailedPart) return error.failure
  if (error instanceof EvaluationError || error instanceof CelTypeError) {
    const clause = error.node === undefined ? '' : ` in ${textOf(error.node).replaceAll(safeMatches, 'matches')}`
    return new Failure(`${error.code}${clause}`)
  }
  return new Failure(error instanceof RangeError ? error.message : 'the input could not be read')
}

/** The positions of the name `matches` where it is called. */
function collectMatches(node: unknown, places: number[]): void {
  if (Array.isArray(node)) {
    for (const item of node) collectMatches(item, places)
    return
  }
  if (!isNode(node)) return
  if (node.op === 'rcall' && node.args[0] === 'matches') {
    places.push(node.input.indexOf('matches', node.args[1].end))
  }
  collectMatches(node.args, places)
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}

function replaceMatches(text: string, places: readonly number[]): string {
  let replaced = text
  for (const at of places) replaced = replaced.slice(0, at) + safeMatches + replaced.slice(at + safeMatches.length)
  return replaced
}
