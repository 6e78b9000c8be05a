import type { ASTNode } from '@marcbachmann/cel-js'
import { Failure } from './failure.ts'
import { textOf, type CompileNative, type Evaluate, type Native, type NativeScope } from './native-value.ts'

type Binary = ASTNode & { readonly args: [ASTNode, ASTNode] }
type Scalar = string | number | boolean | null

/** Above this many words a set is faster than a look at each. */
const maxScanned = 8

/** Compiles `==` and `!=` where at least one side is known to be a scalar. */
export function compileEquality(
  node: ASTNode & { readonly op: '==' | '!=' },
  scope: NativeScope,
  compile: CompileNative,
): Native | undefined {
  const [left, right] = sidesOf(node, scope, compile)
  if (!left || !right || !(isScalar(left) || isScalar(right)) || isList(left) || isList(right)) return undefined
  const equal = right.literal === undefined ? equalRuns(left.run, right.run) : equalTo(left.run, right.literal)
  if (node.op === '==') return { type: 'bool', run: equal }
  return {
    type: 'bool',
    run(view) {
      const value = equal(view)
      return value instanceof Failure ? value : value !== true
    },
  }
}

/** Compiles the comparisons of numbers with numbers and texts with texts; of other pairs JSON may bring, they fail. */
export function compileOrder(
  node: ASTNode & { readonly op: '<' | '<=' | '>' | '>=' },
  scope: NativeScope,
  compile: CompileNative,
): Native | undefined {
  const [left, right] = sidesOf(node, scope, compile)
  if (!left || !right) return undefined
  const kinds = [orderOf(left), orderOf(right)]
  if (kinds.includes('none') || (kinds[0] === 'dyn' && kinds[1] === 'dyn')) return undefined
  const mixed = new Failure(`no_such_overload in ${textOf(node)}`)
  const holds = orders[node.op]
  const { run: runLeft } = left
  const { run: runRight } = right
  return {
    type: 'bool',
    run(view) {
      const a = runLeft(view)
      if (a instanceof Failure) return a
      const b = runRight(view)
      if (b instanceof Failure) return b
      if (typeof a === 'number' && typeof b === 'number') return holds(a, b)
      return typeof a === 'string' && typeof b === 'string' ? holds(a, b) : mixed
    },
  }
}

/** Compiles `x in [...]` with literals of one kind, and a text in a list of texts of the input. */
export function compileMembership(
  node: ASTNode & { readonly op: 'in' },
  scope: NativeScope,
  compile: CompileNative,
): Native | undefined {
  const [element, list] = (node as Binary).args
  const of = compile(element, scope)
  if (!of || of.type === 'null' || isList(of)) return undefined
  if (list.op === 'list') {
    const words = list.args.map((item) => compile(item, scope)?.literal)
    if (words.length === 0 || words.some((word) => word === undefined || word === null)) return undefined
    return { type: 'bool', run: oneOf(of.run, words as readonly Scalar[]) }
  }
  const texts = compile(list, scope)
  if (of.type !== 'string' || texts?.type !== 'list<string>') return undefined
  const { run } = of
  const { run: runTexts } = texts
  return {
    type: 'bool',
    run(view) {
      const value = run(view)
      return value instanceof Failure ? value : (runTexts(view) as readonly unknown[]).includes(value)
    },
  }
}

function sidesOf(
  node: ASTNode,
  scope: NativeScope,
  compile: CompileNative,
): readonly [Native | undefined, Native | undefined] {
  const [left, right] = (node as Binary).args
  const sides = [compile(left, scope), compile(right, scope)] as const
  // The literal goes to the right, where it can be read once.
  return sides[0]?.literal !== undefined && (node.op === '==' || node.op === '!=') ? [sides[1], sides[0]] : sides
}

function isScalar({ type }: Native): boolean {
  return type !== 'dyn' && type !== 'list<string>'
}

function isList({ type }: Native): boolean {
  return type === 'list<string>'
}

function orderOf({ type }: Native): 'number' | 'string' | 'dyn' | 'none' {
  if (type === 'int' || type === 'double') return 'number'
  return type === 'string' || type === 'dyn' ? type : 'none'
}

const orders = {
  '<': (a: string | number, b: string | number) => a < b,
  '<=': (a: string | number, b: string | number) => a <= b,
  '>': (a: string | number, b: string | number) => a > b,
  '>=': (a: string | number, b: string | number) => a >= b,
} as const

function equalTo(run: Evaluate, literal: Scalar): Evaluate {
  return (view) => {
    const value = run(view)
    return value instanceof Failure ? value : value === literal
  }
}

function equalRuns(left: Evaluate, right: Evaluate): Evaluate {
  return (view) => {
    const a = left(view)
    if (a instanceof Failure) return a
    const b = right(view)
    return b instanceof Failure ? b : a === b
  }
}

function oneOf(run: Evaluate, words: readonly Scalar[]): Evaluate {
  const set = new Set<unknown>(words)
  const has =
    words.length > maxScanned ? (value: unknown) => set.has(value) : (value: unknown) => contains(words, value)
  return (view) => {
    const value = run(view)
    return value instanceof Failure ? value : has(value)
  }
}

function contains(words: readonly unknown[], value: unknown): boolean {
  for (const word of words) if (word === value) return true
  return false
}
