import type { Hash } from '@parley/ports'
import { createHopView } from '../condition/hop-view.ts'
import { hashTexts, type CompiledDocument } from './compile-document.ts'
import { createJudge } from './judge-document.ts'
import type { PolicyDocument } from './policy-document.ts'
import type { PolicyRule } from './policy-rule.ts'
import { createRewriter } from './rewrite-document.ts'

const maxDepth = 8

/**
 * Joins documents with those that they extend: a child has the rules of its parents too, and their denies and approvals
 * come first, whatever its own say. Reports parents that are not there, cycles, and a child that is laxer by default.
 */
export function linkDocuments(compiled: readonly CompiledDocument[], hash: Hash): readonly PolicyDocument[] {
  const byName = new Map(compiled.map((document) => [document.name, document]))
  return compiled.flatMap((document) => {
    const parents = listParents(document, byName)
    return parents ? [linkDocument(document, parents, hash)] : []
  })
}

/** Nearest first, each once; undefined if one is missing or they go in a circle. */
function listParents(
  document: CompiledDocument,
  byName: ReadonlyMap<string, CompiledDocument>,
): readonly CompiledDocument[] | undefined {
  const found = new Set<CompiledDocument>()
  let isWhole = true
  const walk = (child: CompiledDocument, trail: readonly string[]): void => {
    for (const { text, offset } of child.extends) {
      const parent = byName.get(text)
      const at = child === document ? offset : (document.extends[0]?.offset ?? 0)
      if (!parent || trail.includes(text) || trail.length >= maxDepth) {
        isWhole = false
        if (!parent) document.report(at, `no document is named ${text}: give it beside this one`)
        else if (trail.includes(text)) document.report(at, `extends goes in a circle: ${[...trail, text].join(' → ')}`)
        else document.report(at, `extends goes deeper than ${String(maxDepth)} documents`)
        continue
      }
      if (parent.default === 'deny' && child.default === 'allow' && child === document) {
        document.report(at, `${text} denies by default: what extends it cannot allow by default`)
      }
      if (found.has(parent)) continue
      found.add(parent)
      walk(parent, [...trail, text])
    }
  }
  walk(document, [document.name])
  return isWhole ? [...found] : undefined
}

function linkDocument(document: CompiledDocument, parents: readonly CompiledDocument[], hash: Hash): PolicyDocument {
  const { name, source, conflicts } = document
  const inherited = parents.toReversed().flatMap(({ rules }) => rules)
  const known = new Map<string, PolicyRule>()
  for (const rule of [...inherited, ...document.rules]) {
    const other = known.get(rule.name)
    // Two in one document are told where the second one stands.
    if (other && other.writtenIn !== rule.writtenIn)
      document.report(0, `the rule ${rule.name} of ${other.writtenIn} and one of ${rule.writtenIn} share a name`)
    known.set(rule.name, rule)
  }
  const rules = [...inherited, ...document.rules]
  const guards = inherited.filter(({ effect }) => effect === 'deny' || effect === 'require_approval')
  const judge = createJudge({ name, default: document.default, conflicts, guards, rules })
  const rewrite = createRewriter(rules)
  return {
    name,
    language: 'parley/v1',
    file: source.file,
    text: source.text,
    hash: hashTexts([source.text, ...parents.map((parent) => parent.source.text)], 'document', hash),
    default: document.default,
    conflicts,
    parents: parents.map((parent) => parent.name),
    rules: rules.map((rule) => rule.name),
    compiled: rules,
    judge,
    rewrite,
    decide: (input) => judge(createHopView(input)),
    transform(input) {
      const made = rewrite(createHopView(input))
      return made && { rule: made.rules.join('+'), body: made.body }
    },
  }
}
