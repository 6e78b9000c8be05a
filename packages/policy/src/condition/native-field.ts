import type { ASTNode } from '@marcbachmann/cel-js'
import { Failure } from './failure.ts'
import { findInput } from './native-input.ts'
import { textOf, type CompileNative, type Native, type NativeScope } from './native-value.ts'

/** Compiles `left.field`: a field of a record of the input, or a key of JSON. */
export function compileField(
  node: ASTNode & { readonly op: '.' },
  scope: NativeScope,
  compile: CompileNative,
): Native | undefined {
  const [left, field] = node.args
  if (left.op === 'id' && scope.loop?.name !== left.args) {
    const found = findInput(`${left.args}.${field}`)
    if (found) return found
  }
  const shared = scope.loop ? undefined : scope.paths
  const text = textOf(node)
  const known = shared?.get(text)
  if (known) return known
  const made = compileKey(node, compile(left, scope))
  if (made) shared?.set(text, made)
  return made
}

function compileKey(node: ASTNode & { readonly op: '.' }, of: Native | undefined): Native | undefined {
  if (of?.type !== 'dyn') return undefined
  const [, field] = node.args
  const { run } = of
  const missing = new Failure(`no_such_key in ${textOf(node)}`)
  return {
    type: 'dyn',
    run(view) {
      const value = run(view)
      if (value instanceof Failure) return value
      const found = readKey(value, field)
      return found === undefined ? missing : found
    },
  }
}

/** Reads a key of a JSON object; undefined for anything else, also where a key is inherited. */
export function readKey(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
    return undefined
  return (value as Readonly<Record<string, unknown>>)[key]
}
