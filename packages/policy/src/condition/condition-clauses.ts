import type { ASTNode } from '@marcbachmann/cel-js'

/** Splits a condition at the `&&` of its top: it holds only if every clause holds. */
export function clausesOf(node: ASTNode): readonly ASTNode[] {
  if (node.op !== '&&') return [node]
  const [left, right] = node.args
  return [...clausesOf(left), ...clausesOf(right)]
}

/** Returns the text of a string literal. */
export function literalText(node: ASTNode): string | undefined {
  return node.op === 'value' && typeof node.args === 'string' ? node.args : undefined
}
