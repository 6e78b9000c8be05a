import type { Hash } from '@parley/ports'
import { encodeBase64url } from '@parley/protocol'
import type { Native } from '../condition/native-value.ts'
import type { PolicyProblem, ReportProblem } from '../policy-problem.ts'
import type { PolicySource } from '../policy-source.ts'
import { compileRule, isPolicyName } from './compile-rule.ts'
import { parseDocument, type DraftDocument, type DraftText } from './parse-document.ts'
import { conflictStrategies, type ConflictStrategy } from './policy-document.ts'
import type { PolicyRule } from './policy-rule.ts'

const builtInPattern = /^parley:[a-z-]{1,40}$/

/** A document by itself, before the documents that it extends are known. */
export interface CompiledDocument {
  readonly source: PolicySource
  readonly name: string
  readonly default: 'allow' | 'deny'
  readonly conflicts: ConflictStrategy
  readonly extends: readonly DraftText[]
  readonly rules: readonly PolicyRule[]
  readonly report: ReportProblem
}

/** Compiles one document. Appends all its mistakes to `problems`; what it returns is only good if there was none. */
export function compileDocument(source: PolicySource, problems: PolicyProblem[]): CompiledDocument | undefined {
  const draft = parseDocument(source, problems)
  if (draft === undefined) return undefined
  const { fields, lists, report } = draft
  const apiVersion = fields.get('apiVersion')
  if (apiVersion?.text !== 'parley/v1') report(apiVersion?.offset ?? 0, 'apiVersion is not parley/v1')
  const name = fields.get('name')?.text ?? nameOfFile(source.file)
  if (!isPolicyName(name) && !builtInPattern.test(name)) {
    report(fields.get('name')?.offset ?? 0, `the name '${name}' is not 1 to 63 letters, digits, '.', '_' or '-'`)
  }
  const fallback = fields.get('default')
  if (fallback?.text !== 'allow' && fallback?.text !== 'deny') {
    report(fallback?.offset ?? 0, 'default is neither allow nor deny: say what holds when no rule decides')
  }
  return {
    source,
    name,
    default: fallback?.text === 'allow' ? 'allow' : 'deny',
    conflicts: readStrategy(draft),
    extends: lists.get('extends') ?? [],
    rules: compileRules(draft, name),
    report,
  }
}

/** Hashes what a document means: its text and those of its parents, in the order in which they count. */
export function hashTexts(texts: readonly string[], purpose: string, hash: Hash): string {
  // A JSON list keeps the borders between texts; the first line keeps the hash apart from other uses.
  const bytes = hash(new TextEncoder().encode(`parley/v1/${purpose}\n${JSON.stringify(texts)}`))
  return encodeBase64url(bytes)
}

function readStrategy({ fields, report }: DraftDocument): ConflictStrategy {
  const field = fields.get('conflicts')
  if (!field) return 'deny_overrides'
  const strategy = conflictStrategies.find((known) => known === field.text)
  if (strategy) return strategy
  report(field.offset, `the strategy '${field.text}' is unknown: there are ${conflictStrategies.join(', ')}`)
  return 'deny_overrides'
}

function compileRules(draft: DraftDocument, document: string): readonly PolicyRule[] {
  const seen = new Set<string>()
  const scope = { paths: new Map<string, Native>() }
  return draft.rules.flatMap((rule) => {
    const name = rule.fields.get('name')
    if (name !== undefined && seen.has(name.text)) draft.report(name.offset, `a second rule is named ${name.text}`)
    if (name !== undefined) seen.add(name.text)
    const compiled = compileRule(rule, document, draft.report, draft.positionOf, scope)
    return compiled ? [compiled] : []
  })
}

function nameOfFile(file: string): string {
  const last = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1)
  return last.replace(/\.ya?ml$/, '')
}
