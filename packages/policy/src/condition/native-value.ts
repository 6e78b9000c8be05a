import type { ASTNode } from '@marcbachmann/cel-js'
import type { HopView } from './hop-view.ts'

/** Reads or computes a value of one hop; a `Failure` where there is none. Never throws. */
export type Evaluate = (view: HopView) => unknown

/** What is known of a value before a hop is there. `dyn` is JSON, of which nothing is known. */
export type NativeType = 'string' | 'int' | 'double' | 'bool' | 'null' | 'list<string>' | 'dyn'

/** An expression compiled to JavaScript. Numbers of both of CEL's kinds are JavaScript's. */
export interface Native {
  readonly type: NativeType
  readonly run: Evaluate
  /** The value of a literal. */
  readonly literal?: string | number | boolean | null
}

/** What surrounds an expression. */
export interface NativeScope {
  /** The variable of the loop around it. */
  readonly loop?: { readonly name: string; readonly type: NativeType }
  /** Readers of paths by their text, shared by all rules of a document: those of a thousand rules stay hot. */
  readonly paths?: Map<string, Native>
}

/** Compiles an expression; undefined for what only the library evaluates. */
export type CompileNative = (node: ASTNode, scope: NativeScope) => Native | undefined

/**
 * Gives the text of an expression, as its author wrote it. The parser leaves out parentheses at its ends: those that have
 * their other half within are added again.
 */
export function textOf(node: ASTNode): string {
  const { input, start } = node
  let { end } = node
  for (let open = countOpen(input.slice(start, end)); open > 0; open--) {
    const next = input.slice(end).search(/\S/)
    if (next === -1 || input.charAt(end + next) !== ')') break
    end += next + 1
  }
  return input.slice(start, end)
}

/** Counts parentheses that are not closed, quoted text aside. */
function countOpen(text: string): number {
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '')
  return bare.split('(').length - bare.split(')').length
}
