import type { ASTNode } from '@marcbachmann/cel-js'

/** Splits a condition at the `&&` of its top: it holds only if every clause holds. */
export function clausesOf(node: ASTNode): readonly ASTNode[] {
  if (node.op !== '&&') return [node]
  const [left, right] = node.args
  return [...clausesOf(left), ...clausesOf(right)]
}

/**
 * Names the only actions for which a condition can hold, from a top clause `action == '...'` or `action in [...]`.
 * Skipping the rule for other actions changes nothing: in CEL a false clause makes `&&` false even if another one fails.
 */
export function requiredActions(node: ASTNode): readonly string[] | undefined {
  for (const clause of clausesOf(node)) {
    const actions = comparedActions(clause)
    if (actions !== undefined) return actions
  }
  return undefined
}

/** Returns the text of a string literal. */
export function literalText(node: ASTNode): string | undefined {
  return node.op === 'value' && typeof node.args === 'string' ? node.args : undefined
}

function comparedActions(clause: ASTNode): readonly string[] | undefined {
  if (clause.op === '==') {
    const [left, right] = clause.args
    const text = isAction(left) ? literalText(right) : isAction(right) ? literalText(left) : undefined
    return text === undefined ? undefined : [text]
  }
  if (clause.op === 'in') {
    const [left, right] = clause.args
    if (!isAction(left) || right.op !== 'list') return undefined
    const texts = right.args.map(literalText).filter((text) => text !== undefined)
    return texts.length === right.args.length ? texts : undefined
  }
  return undefined
}

function isAction(node: ASTNode): boolean {
  return node.op === 'id' && node.args === 'action'
}
