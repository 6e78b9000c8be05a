import type { ASTNode } from '@marcbachmann/cel-js'
import { Failure } from './failure.ts'
import { textOf, type CompileNative, type Native, type NativeScope, type NativeType } from './native-value.ts'

/**
 * Compiles `all` and `exists`. An item that settles the matter does so even where others fail. Of an object of JSON they
 * go over the keys. Loops do not nest, so one place for the item is enough.
 */
export function compileLoop(
  node: ASTNode & { readonly op: 'rcall' },
  scope: NativeScope,
  compile: CompileNative,
): Native | undefined {
  const [name, receiver, [variable, predicate]] = node.args
  if (scope.loop || variable?.op !== 'id' || !predicate) return undefined
  const of = compile(receiver, scope)
  const type = of && itemTypeOf(of)
  if (!of || !type) return undefined
  const test = compile(predicate, { ...scope, loop: { name: variable.args, type } })
  if (test?.type !== 'bool') return undefined
  const { run } = of
  const { run: runTest } = test
  const settles = name === 'exists'
  const noList = new Failure(`invalid_comprehension_range in ${textOf(receiver)}`)
  return {
    type: 'bool',
    run(view) {
      const items = run(view)
      if (items instanceof Failure) return items
      if (typeof items !== 'object' || items === null) return noList
      let failed: Failure | undefined
      for (const item of Array.isArray(items) ? (items as readonly unknown[]) : Object.keys(items)) {
        view.item = item
        const value = runTest(view)
        if (value === settles) return settles
        if (value instanceof Failure) failed ??= value
      }
      return failed ?? !settles
    },
  }
}

function itemTypeOf({ type }: Native): NativeType | undefined {
  if (type === 'list<string>') return 'string'
  return type === 'dyn' ? 'dyn' : undefined
}
