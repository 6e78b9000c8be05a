import { parseSync, Visitor, type Comment, type Program, type VisitorObject } from 'oxc-parser'
import { readText } from './source-tree.ts'

/** One file, parsed. */
export interface ParsedSource {
  readonly path: string
  readonly text: string
  readonly program: Program
  readonly comments: readonly Comment[]
  /** Everything that it imports or re-exports from, types included, as written. */
  readonly imports: readonly string[]
}

/** Parses TypeScript text. Throws an Error for what is not TypeScript. */
export function parseSource(path: string, text: string): ParsedSource {
  const { program, comments, module, errors } = parseSync(path, text)
  const [problem] = errors
  if (problem) throw new Error(`${path}: ${problem.message}`)
  const imports = new Set<string>()
  for (const { moduleRequest } of module.staticImports) imports.add(moduleRequest.value)
  for (const { entries } of module.staticExports)
    for (const { moduleRequest } of entries) if (moduleRequest) imports.add(moduleRequest.value)
  const note = (source: { readonly type: string; readonly value?: unknown }): void => {
    if (typeof source.value === 'string') imports.add(source.value)
  }
  visit(program, {
    ImportExpression: ({ source }) => {
      note(source)
    },
    TSImportType: ({ source }) => {
      note(source)
    },
  })
  return { path, text, program, comments, imports: [...imports] }
}

const parsed = new Map<string, ParsedSource>()

/** Reads and parses a file of the repository, once. */
export function readSource(path: string): ParsedSource {
  const known = parsed.get(path) ?? parseSource(path, readText(path))
  parsed.set(path, known)
  return known
}

/** Visits the nodes of a program. */
export function visit(program: Program, visitor: VisitorObject): void {
  new Visitor(visitor).visit(program)
}

/** Formats where an offset is, as `path:line`. */
export function formatPlace({ path, text }: ParsedSource, offset: number): string {
  return `${path}:${String(text.slice(0, offset).split('\n').length)}`
}

/** Names the package of a bare import (`node` for builtins); undefined for a relative one. */
export function packageOfImport(specifier: string): string | undefined {
  if (specifier.startsWith('.')) return undefined
  if (specifier.startsWith('node:')) return 'node'
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
