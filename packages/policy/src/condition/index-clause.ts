import type { ASTNode } from '@marcbachmann/cel-js'
import { compileNative } from './compile-native.ts'
import type { Evaluate, Native, NativeScope } from './native-value.ts'

/** The comparisons with a number by which rules are found. */
export type BoundOp = '<' | '<=' | '>' | '>='

/**
 * A clause by which a rule can be found instead of scanned: what is read, under a name that all clauses share that read
 * the same, and for which values the clause can hold. In CEL a false clause makes `&&` false even if another one fails, so
 * passing over the rule changes nothing.
 */
export type IndexClause = { readonly path: string; readonly read: Evaluate } & (
  | { readonly kind: 'equal'; readonly values: readonly (string | number | boolean)[] }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'bound'; readonly op: BoundOp; readonly bound: number }
)

/** Reads a clause as one to index by; undefined if it is none. */
export function readIndexClause(clause: ASTNode, scope: NativeScope): IndexClause | undefined {
  switch (clause.op) {
    case '==':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return readComparison(clause.op, ...clause.args, scope)
    case 'in': {
      const [left, right] = clause.args
      const subject = readSubject(left, scope)
      if (!subject || right.op !== 'list') return undefined
      const values = right.args.map(literalOf).filter((value) => value !== undefined)
      return values.length === right.args.length && values.length > 0
        ? { ...subject, kind: 'equal', values }
        : undefined
    }
    case 'rcall': {
      const [name, receiver, [argument]] = clause.args
      const subject = name === 'startsWith' ? readSubject(receiver, scope) : undefined
      const prefix = argument && literalOf(argument)
      return subject && typeof prefix === 'string' && prefix !== '' ? { ...subject, kind: 'prefix', prefix } : undefined
    }
    default:
      return undefined
  }
}

const flipped = { '==': '==', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const

function readComparison(
  op: '==' | BoundOp,
  left: ASTNode,
  right: ASTNode,
  scope: NativeScope,
): IndexClause | undefined {
  const value = literalOf(right)
  if (value === undefined)
    return literalOf(left) === undefined ? undefined : readComparison(flipped[op], right, left, scope)
  const subject = readSubject(left, scope)
  if (!subject) return undefined
  if (op === '==') return { ...subject, kind: 'equal', values: [value] }
  return typeof value === 'number' ? { ...subject, kind: 'bound', op, bound: value } : undefined
}

function literalOf(node: ASTNode): string | number | boolean | undefined {
  if (node.op !== 'value' && node.op !== '-_') return undefined
  return compileNative(node, {})?.literal ?? undefined
}

/** A variable, a field of a record, or a path into JSON. */
function readSubject(
  node: ASTNode,
  scope: NativeScope,
): { readonly path: string; readonly read: Evaluate } | undefined {
  const path = pathOf(node)
  const native: Native | undefined = path === undefined ? undefined : compileNative(node, scope)
  return path === undefined || !native || native.type === 'list<string>' ? undefined : { path, read: native.run }
}

function pathOf(node: ASTNode): string | undefined {
  if (node.op === 'id') return node.args
  if (node.op !== '.') return undefined
  const [left, field] = node.args
  const start = pathOf(left)
  // Fields that hold a point cannot be written this way, so paths do not collide.
  return start === undefined ? undefined : `${start}.${field}`
}
