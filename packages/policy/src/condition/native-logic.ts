import type { ASTNode } from '@marcbachmann/cel-js'
import { Failure } from './failure.ts'
import { textOf, type CompileNative, type Evaluate, type Native, type NativeScope } from './native-value.ts'

/**
 * Compiles `&&` and `||`. As CEL has it, a side that settles the matter does so even where the other one fails, whichever
 * comes first.
 */
export function compileLogic(
  node: ASTNode & { readonly op: '&&' | '||' },
  scope: NativeScope,
  compile: CompileNative,
): Native | undefined {
  const settles = node.op === '||'
  const sides: Evaluate[] = []
  for (const operand of operandsOf(node, node.op)) {
    const side = compile(operand, scope)
    if (!side || (side.type !== 'bool' && side.type !== 'dyn')) return undefined
    sides.push(side.type === 'bool' ? side.run : asBool(side.run, operand))
  }
  return { type: 'bool', run: settles ? anyOf(sides) : allOf(sides) }
}

/** Compiles `!x`. */
export function compileNot(
  node: ASTNode & { readonly op: '!_' },
  scope: NativeScope,
  compile: CompileNative,
): Native | undefined {
  const of = compile(node.args, scope)
  if (of?.type !== 'bool') return undefined
  const { run } = of
  return {
    type: 'bool',
    run(view) {
      const value = run(view)
      return value instanceof Failure ? value : value !== true
    },
  }
}

function operandsOf(node: ASTNode, op: '&&' | '||'): readonly ASTNode[] {
  if (node.op !== op) return [node]
  const [left, right] = node.args
  return [...operandsOf(left, op), ...operandsOf(right, op)]
}

function asBool(run: Evaluate, node: ASTNode): Evaluate {
  const problem = new Failure(`invalid_logical_operand in ${textOf(node)}`)
  return (view) => {
    const value = run(view)
    return typeof value === 'boolean' || value instanceof Failure ? value : problem
  }
}

/** Joins conditions as `&&` does. */
export function allOf(sides: readonly Evaluate[]): Evaluate {
  const [first, second] = sides
  if (first && sides.length === 1) return first
  if (first && second && sides.length === 2) return bothOf(first, second)
  return (view) => {
    let failed: unknown = true
    for (const side of sides) {
      const value = side(view)
      if (value === false) return false
      if (value !== true && failed === true) failed = value
    }
    return failed
  }
}

function bothOf(first: Evaluate, second: Evaluate): Evaluate {
  return (view) => {
    const value = first(view)
    if (value === false) return false
    const other = second(view)
    return value === true || other === false ? other : value
  }
}

function anyOf(sides: readonly Evaluate[]): Evaluate {
  return (view) => {
    let failed: unknown = false
    for (const side of sides) {
      const value = side(view)
      if (value === true) return true
      if (value !== false && failed === false) failed = value
    }
    return failed
  }
}
