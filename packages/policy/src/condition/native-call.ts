import type { ASTNode } from '@marcbachmann/cel-js'
import { Failure } from './failure.ts'
import { compilePattern } from './linear-pattern.ts'
import { readKey } from './native-field.ts'
import { compileLoop } from './native-loop.ts'
import { textOf, type CompileNative, type Evaluate, type Native, type NativeScope } from './native-value.ts'

/** Compiles `has(x.y)` and `size(x)`. */
export function compileCall(
  node: ASTNode & { readonly op: 'call' },
  scope: NativeScope,
  compile: CompileNative,
): Native | undefined {
  const [name, [argument]] = node.args
  if (!argument) return undefined
  if (name === 'has') return compileHas(argument, scope, compile)
  return name === 'size' ? compileSize(node, argument, scope, compile) : undefined
}

/** Compiles the methods of texts, `size` and the loops. */
export function compileMethod(
  node: ASTNode & { readonly op: 'rcall' },
  scope: NativeScope,
  compile: CompileNative,
): Native | undefined {
  const [name, receiver, args] = node.args
  const [first] = args
  switch (name) {
    case 'startsWith':
      return compileTextTest(node, receiver, first, scope, compile, (text, part) => text.startsWith(part))
    case 'endsWith':
      return compileTextTest(node, receiver, first, scope, compile, (text, part) => text.endsWith(part))
    case 'contains':
      return compileTextTest(node, receiver, first, scope, compile, (text, part) => text.includes(part))
    case 'matches':
      return compileMatches(node, receiver, first, scope, compile)
    case 'size':
      return compileSize(node, receiver, scope, compile)
    case 'all':
    case 'exists':
      return compileLoop(node, scope, compile)
    default:
      return undefined
  }
}

function compileHas(argument: ASTNode, scope: NativeScope, compile: CompileNative): Native | undefined {
  if (argument.op !== '.') return undefined
  const [left, field] = argument.args
  const of = compile(left, scope)
  if (of?.type !== 'dyn') return undefined
  const { run } = of
  return {
    type: 'bool',
    run(view) {
      const value = run(view)
      return value instanceof Failure ? value : readKey(value, field) !== undefined
    },
  }
}

function compileSize(node: ASTNode, argument: ASTNode, scope: NativeScope, compile: CompileNative): Native | undefined {
  const of = compile(argument, scope)
  if (!of || !['string', 'dyn', 'list<string>'].includes(of.type)) return undefined
  const { run } = of
  const none = new Failure(`no_matching_overload in ${textOf(node)}`)
  return {
    type: 'int',
    run(view) {
      const value = run(view)
      if (value instanceof Failure) return value
      if (typeof value === 'string') return countCodePoints(value)
      if (Array.isArray(value)) return value.length
      return typeof value === 'object' && value !== null ? Object.keys(value).length : none
    },
  }
}

function compileTextTest(
  node: ASTNode,
  receiver: ASTNode,
  argument: ASTNode | undefined,
  scope: NativeScope,
  compile: CompileNative,
  test: (text: string, part: string) => boolean,
): Native | undefined {
  const of = compileText(receiver, scope, compile)
  const part = argument && compileText(argument, scope, compile)
  if (!of || !part) return undefined
  const none = new Failure(`no_matching_overload in ${textOf(node)}`)
  return {
    type: 'bool',
    run(view) {
      const text = of(view)
      if (text instanceof Failure) return text
      const with_ = part(view)
      if (with_ instanceof Failure) return with_
      return typeof text === 'string' && typeof with_ === 'string' ? test(text, with_) : none
    },
  }
}

function compileMatches(
  node: ASTNode,
  receiver: ASTNode,
  argument: ASTNode | undefined,
  scope: NativeScope,
  compile: CompileNative,
): Native | undefined {
  const of = compileText(receiver, scope, compile)
  const pattern = argument?.op === 'value' && typeof argument.args === 'string' ? compilePattern(argument.args) : ''
  if (!of || typeof pattern === 'string') return undefined
  const none = new Failure(`no_matching_overload in ${textOf(node)}`)
  return {
    type: 'bool',
    run(view) {
      const text = of(view)
      if (text instanceof Failure) return text
      return typeof text === 'string' ? pattern.test(text) : none
    },
  }
}

function compileText(node: ASTNode, scope: NativeScope, compile: CompileNative): Evaluate | undefined {
  const of = compile(node, scope)
  return of?.type === 'string' || of?.type === 'dyn' ? of.run : undefined
}

function countCodePoints(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    const isPair = unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00
    if (isPair) at++
    count++
  }
  return count
}
