import type { CallExpression, Expression } from 'oxc-parser'
import { formatPlace, visit, type ParsedSource } from './parsed-source.ts'

/** Looks at one file and says where it breaks a rule, as `path:line what`. */
export type SourceRule = (source: ParsedSource) => readonly string[]

/** Finds `catch` blocks that do nothing: whatever was thrown is lost. A comment inside does not count. */
export const findEmptyCatches: SourceRule = (source) => {
  const found: string[] = []
  visit(source.program, {
    CatchClause({ body, start }) {
      if (body.body.length === 0) found.push(`${formatPlace(source, start)} empty catch`)
    },
    CallExpression(call) {
      if (nameOfCallee(call.callee).at(-1) !== 'catch') return
      const [handler] = call.arguments
      const isEmpty =
        handler?.type === 'ArrowFunctionExpression' &&
        handler.body.type === 'BlockStatement' &&
        handler.body.body.length === 0
      if (isEmpty) found.push(`${formatPlace(source, call.start)} empty catch`)
    },
  })
  return found
}

/** Finds the type `any`, wherever it stands. */
export const findAny: SourceRule = (source) => {
  const found: string[] = []
  visit(source.program, {
    TSAnyKeyword({ start }) {
      found.push(`${formatPlace(source, start)} any`)
    },
  })
  return found
}

const suppression = /@ts-(?:ignore|nocheck|expect-error)|(?:oxlint|eslint|oxfmt|prettier)-(?:disable|ignore)/
const unfinished = /\b(?:TODO|FIXME|XXX|HACK)\b/

/** Finds comments that silence a tool or put work off. */
export const findSuppressions: SourceRule = (source) =>
  source.comments
    .filter(({ value }) => suppression.test(value) || unfinished.test(value))
    .map(({ value, start }) => `${formatPlace(source, start)} ${value.trim()}`)

const sleeps: ReadonlySet<string> = new Set(['setTimeout', 'setInterval', 'sleep'])

/** Finds tests that wait for time to pass. */
export const findSleeps: SourceRule = (source) => {
  const found: string[] = []
  if (source.imports.some((name) => name === 'node:timers/promises' || name === 'timers/promises'))
    found.push(`${source.path} imports timers/promises`)
  visit(source.program, {
    CallExpression({ callee, start }) {
      const name = nameOfCallee(callee)
      if (sleeps.has(name.at(-1) ?? '') && (name.length === 1 || name[0] === 'globalThis'))
        found.push(`${formatPlace(source, start)} sleeps by ${name.join('.')}`)
    },
  })
  return found
}

const hostReadings: ReadonlySet<string> = new Set(['Date.now', 'performance.now', 'Math.random'])

/** Finds where time or randomness is read from the machine instead of a port. */
export const findHostReadings: SourceRule = (source) => {
  const found: string[] = []
  visit(source.program, {
    MemberExpression(member) {
      const name = nameOfCallee(member).join('.')
      if (hostReadings.has(name)) found.push(`${formatPlace(source, member.start)} ${name}`)
    },
    NewExpression({ callee, arguments: values, start }) {
      if (callee.type === 'Identifier' && callee.name === 'Date' && values.length === 0)
        found.push(`${formatPlace(source, start)} new Date()`)
    },
  })
  return found
}

const testFunctions: ReadonlySet<string> = new Set(['it', 'test', 'describe', 'suite'])
const leavesOut: ReadonlySet<string> = new Set(['skip', 'skipIf', 'runIf', 'todo'])
const reason = /\((?:needs|because|until) [^)]+\)/

/**
 * Finds tests that are left out without saying why: the title of `it.skip`, `skipIf`, `runIf` and `todo` holds
 * `(needs …)`, `(because …)` or `(until …)`; `context.skip` takes the reason as a text.
 */
export const findUnexplainedSkips: SourceRule = (source) => {
  const found: string[] = []
  visit(source.program, {
    CallExpression(call) {
      const name = nameOfCallee(call.callee)
      const isTest = testFunctions.has(name[0] ?? '') && name.some((part) => leavesOut.has(part))
      const isContext = !testFunctions.has(name[0] ?? '') && name.length > 1 && name.at(-1) === 'skip'
      if (isContext && !call.arguments.some((argument) => isText(argument)))
        found.push(`${formatPlace(source, call.start)} skips without a reason`)
      // `it.skipIf(condition)` returns the function that takes the title; that call is looked at by itself.
      if (!isTest || (call.callee.type === 'MemberExpression' && isConditional(name))) return
      const [title] = call.arguments
      if (title === undefined || !reason.test(textOf(source, title)))
        found.push(`${formatPlace(source, call.start)} skips without a reason in its title`)
    },
  })
  return found
}

/** Finds tests that run alone and so hide all others. */
export const findFocused: SourceRule = (source) => {
  const found: string[] = []
  visit(source.program, {
    CallExpression(call) {
      const name = nameOfCallee(call.callee)
      if (testFunctions.has(name[0] ?? '') && name.includes('only'))
        found.push(`${formatPlace(source, call.start)} focuses one test`)
    },
  })
  return found
}

/** Finds what an index must not do: declare something, export by default, or export everything of a file. */
export const findIndexFaults: SourceRule = (source) =>
  source.program.body
    .filter((statement) => {
      if (statement.type !== 'ExportNamedDeclaration') return true
      const isMarker = statement.source === null && statement.declaration === null && statement.specifiers.length === 0
      return statement.source === null && !isMarker
    })
    .map(({ start, type }) => `${formatPlace(source, start)} ${type}: an index re-exports by name, and nothing else`)

function isConditional(name: readonly string[]): boolean {
  return name.at(-1) === 'skipIf' || name.at(-1) === 'runIf'
}

function isText(node: CallExpression['arguments'][number]): boolean {
  return node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node.value === 'string')
}

function textOf(source: ParsedSource, node: CallExpression['arguments'][number]): string {
  return source.text.slice(node.start, node.end)
}

/** Names what is called: `it.skipIf(x)(…)` is ['it', 'skipIf']. */
function nameOfCallee(callee: Expression): readonly string[] {
  if (callee.type === 'Identifier') return [callee.name]
  if (callee.type === 'CallExpression') return nameOfCallee(callee.callee)
  if (callee.type === 'MemberExpression' && !callee.computed && callee.property.type === 'Identifier')
    return [...nameOfCallee(callee.object), callee.property.name]
  return ['']
}
