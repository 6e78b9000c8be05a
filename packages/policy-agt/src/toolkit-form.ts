import { hashTexts, type PolicyForm, type PolicyProblem, type PolicySource } from '@parley/policy'
import { systemHash } from '@parley/ports'
import { conflictStrategies, orderRules, type ConflictStrategy } from './conflict-strategy.ts'
import { readToolkitDocument, type ToolkitDraft } from './read-toolkit-document.ts'
import { createToolkitEngine } from './toolkit-engine.ts'

/** What `createToolkitForm` takes. */
export interface ToolkitFormOptions {
  /** How rules that disagree are settled; like the toolkit's engine, the highest priority by default. */
  readonly conflicts?: ConflictStrategy
  /**
   * Finds a document that another one extends, by the path that stands there, relative to the file. Returns undefined if
   * there is none. Without it no document may extend another.
   */
  readonly parent?: (reference: string, from: string) => PolicySource | undefined
}

const maxParents = 32
const marker = /(?:^|\{)\s*["']?apiVersion["']?\s*:\s*["']?governance\.toolkit\//m

/**
 * Makes the form of `apiVersion: governance.toolkit/v1` documents: rules with conditions of the toolkit's own language,
 * priorities, limits, stages, approvals, and parents to extend. They load as they are; what cannot be honoured is a problem
 * with its position.
 */
export function createToolkitForm(options: ToolkitFormOptions = {}): PolicyForm {
  const { conflicts = conflictStrategies[0], parent } = options
  return {
    name: 'governance.toolkit/v1',
    accepts: ({ text }) => marker.test(text.slice(0, 64 * 1024)),
    compile(source, problems) {
      const before = problems.length
      const chain = gather(source, parent, problems)
      const draft = chain.at(-1)
      if (draft === undefined || problems.length > before) return undefined
      const rules = chain.flatMap((each) => each.rules.map((rule) => ({ ...rule, inherited: each !== draft })))
      return createToolkitEngine({
        name: draft.name,
        file: source.file,
        hash: hashTexts([conflicts, ...chain.map(({ text }) => text)], 'governance-toolkit', systemHash),
        // A parent that denies what no rule allows is not weakened by a child that does not say so.
        default: chain.some((each) => each.default === 'deny') ? 'deny' : 'allow',
        agents: draft.agents,
        rules: orderRules(rules, conflicts),
      })
    },
  }
}

/** Reads a document and all that it extends, parents first, each once. */
function gather(
  source: PolicySource,
  parent: ToolkitFormOptions['parent'],
  problems: PolicyProblem[],
): readonly ToolkitDraft[] {
  const done = new Map<string, ToolkitDraft>()
  const open: string[] = []
  const names = new Map<string, string>()
  const visit = (from: PolicySource): void => {
    open.push(from.file)
    const draft = readToolkitDocument(from, problems)
    for (const { text: reference, offset } of draft?.parents ?? []) {
      const problem = follow(reference, from)
      if (problem !== undefined) draft?.report(offset, problem)
    }
    open.pop()
    if (draft === undefined) return
    for (const { name, offset } of draft.ruleNames) {
      const other = names.get(name)
      const where = other === from.file ? 'before in this document' : `in ${String(other)}, and a child only adds`
      if (other !== undefined) draft.report(offset, `a rule ${name} stands ${where}: give this one another name`)
      names.set(name, from.file)
    }
    done.set(from.file, draft)
  }
  const follow = (reference: string, from: PolicySource): string | undefined => {
    if (!isBelow(reference)) return `${reference} does not lie in the folder of the document`
    const found = parent?.(reference, from.file)
    if (found === undefined) return `the document ${reference} was not found`
    if (open.includes(found.file))
      return `documents extend each other in a circle: ${[...open, found.file].join(' → ')}`
    if (done.has(found.file)) return undefined
    if (done.size + open.length >= maxParents) return `more than ${String(maxParents)} documents are extended`
    visit(found)
    return undefined
  }
  visit(source)
  return [...done.values()]
}

/** The toolkit's rule, too: a parent lies beside its child, or below. */
function isBelow(reference: string): boolean {
  return !/^(?:[/\\]|[A-Za-z]:|\w+:\/\/)/.test(reference) && !reference.split(/[/\\]/).includes('..')
}
