import type { ASTNode } from '@marcbachmann/cel-js'
import { compileCall, compileMethod } from './native-call.ts'
import { compileEquality, compileMembership, compileOrder } from './native-compare.ts'
import { findInput } from './native-input.ts'
import { compileLogic, compileNot } from './native-logic.ts'
import { compileField } from './native-field.ts'
import type { CompileNative, Native } from './native-value.ts'

/**
 * Compiles a checked expression to JavaScript closures: the part of CEL that rules are made of. Undefined for the rest
 * (arithmetic, conversions, conditionals), which the library evaluates; both give the same, which a property holds.
 */
export const compileNative: CompileNative = (node, scope) => {
  switch (node.op) {
    case 'value':
      return compileLiteral(node)
    case 'id':
      if (scope.loop?.name === node.args) return { type: scope.loop.type, run: (view) => view.item }
      return findInput(node.args)
    case '.':
      return compileField(node, scope, compileNative)
    case '-_': {
      const of = compileNative(node.args, scope)
      return typeof of?.literal === 'number' ? literal(of.type, -of.literal) : undefined
    }
    case '&&':
    case '||':
      return compileLogic(node, scope, compileNative)
    case '!_':
      return compileNot(node, scope, compileNative)
    case '==':
    case '!=':
      return compileEquality(node, scope, compileNative)
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compileOrder(node, scope, compileNative)
    case 'in':
      return compileMembership(node, scope, compileNative)
    case 'call':
      return compileCall(node, scope, compileNative)
    case 'rcall':
      return compileMethod(node, scope, compileNative)
    default:
      return undefined
  }
}

function compileLiteral(node: ASTNode & { readonly op: 'value' }): Native | undefined {
  const value = node.args
  if (typeof value === 'string') return literal('string', value)
  if (typeof value === 'boolean') return literal('bool', value)
  if (typeof value === 'number') return literal('double', value)
  if (value === null) return literal('null', value)
  if (typeof value !== 'bigint') return undefined
  const whole = Number(value)
  return Number.isSafeInteger(whole) ? literal('int', whole) : undefined
}

function literal(type: Native['type'], value: string | number | boolean | null): Native {
  return { type, literal: value, run: () => value }
}
