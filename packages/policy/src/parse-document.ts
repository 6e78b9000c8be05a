import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument as parseYaml,
  visit,
  type Node,
  type ParsedNode,
  type YAMLMap,
} from 'yaml'
import type { PolicyProblem, ReportProblem } from './policy-problem.ts'
import type { PolicySource } from './policy-source.ts'
import { locateInScalar } from './scalar-position.ts'

/** The largest document, in UTF-16 code units. */
export const maxDocumentLength: number = 1024 * 1024

const maxProblems = 100

/** A text of a document with where it stands. */
export interface DraftText {
  readonly text: string
  readonly offset: number
  /** Translates an offset in `text` into one of the document. */
  locate(offset: number): number
}

/** A rule as it was written. */
export interface DraftRule {
  readonly offset: number
  readonly fields: ReadonlyMap<RuleKey, DraftText>
  readonly approvers: readonly DraftText[] | undefined
}

/** A document as it was written: its shape is right, what the texts say is not checked yet. */
export interface DraftDocument {
  readonly fields: ReadonlyMap<DocumentKey, DraftText>
  readonly rules: readonly DraftRule[]
  readonly report: ReportProblem
}

const documentKeys = ['apiVersion', 'name', 'default', 'rules'] as const
const ruleKeys = ['name', 'when', 'effect', 'code', 'reason', 'approvers'] as const

type DocumentKey = (typeof documentKeys)[number]
type RuleKey = (typeof ruleKeys)[number]

/**
 * Reads the YAML 1.2 of a document and its shape. Mistakes are appended to `problems` with their position; returns
 * undefined when there is no document to go on with. Aliases and tags are refused: no text means more than it shows.
 */
export function parseDocument(source: PolicySource, problems: PolicyProblem[]): DraftDocument | undefined {
  const { file, text } = source
  const lines = new LineCounter()
  const report: ReportProblem = (offset, problem) => {
    const position = lines.linePos(offset)
    problems.push({ file, line: Math.max(1, position.line), column: Math.max(1, position.col), problem })
  }
  if (text.length > maxDocumentLength) {
    report(0, `the document is larger than ${String(maxDocumentLength)} characters`)
    return undefined
  }
  const yaml = parseYaml(text, { lineCounter: lines, prettyErrors: false })
  const faults = [...yaml.errors, ...yaml.warnings]
  for (const fault of faults.slice(0, maxProblems)) {
    const deep = fault.code === 'RESOURCE_EXHAUSTION'
    report(fault.pos[0], deep ? 'the document is nested too deeply' : `not valid YAML: ${fault.message}`)
    if (deep) break
  }
  if (faults.length > 0) return undefined
  let aliases = false
  visit(yaml, {
    Alias(_key, node) {
      aliases = true
      report(startOf(node), `the alias *${node.source} is refused: write the value out`)
    },
  })
  if (aliases) return undefined
  const root = yaml.contents
  if (!isMap(root)) {
    report(0, `the document is not a map with the keys ${documentKeys.join(', ')}`)
    return undefined
  }
  const { fields, others } = readFields(root, documentKeys, ['rules'], text, report)
  const rules = others.get('rules')
  if (rules === undefined) report(startOf(root), 'rules is missing: give a list, which may be empty')
  else if (!isSeq(rules)) report(startOf(rules), 'rules is not a list')
  return { fields, report, rules: isSeq(rules) ? rules.items.flatMap((item) => readRule(item, text, report)) : [] }
}

function readRule(item: unknown, text: string, report: ReportProblem): readonly DraftRule[] {
  if (!isMap(item)) {
    report(startOf(item), `the rule is not a map with the keys ${ruleKeys.join(', ')}`)
    return []
  }
  const { fields, others } = readFields(item, ruleKeys, ['approvers'], text, report)
  const list = others.get('approvers')
  let approvers: readonly DraftText[] | undefined
  if (isSeq(list)) approvers = list.items.flatMap((entry) => readText(entry, 'an approver', text, report))
  else if (list !== undefined) report(startOf(list), 'approvers is not a list of agent names')
  return [{ offset: startOf(item), fields, approvers }]
}

/** Splits the entries of a map into texts and the keys of `structured`, whose values are lists. */
function readFields<Key extends string>(
  map: YAMLMap,
  known: readonly Key[],
  structured: readonly Key[],
  text: string,
  report: ReportProblem,
): { readonly fields: ReadonlyMap<Key, DraftText>; readonly others: ReadonlyMap<Key, unknown> } {
  const fields = new Map<Key, DraftText>()
  const others = new Map<Key, unknown>()
  for (const { key, value } of map.items) {
    const name = isScalar(key) ? known.find((candidate) => candidate === key.value) : undefined
    if (name === undefined) {
      report(startOf(key), `unknown key ${isScalar(key) ? String(key.value) : '?'}: there are ${known.join(', ')}`)
    } else if (structured.includes(name)) {
      others.set(name, value)
    } else {
      for (const field of readText(value ?? key, name, text, report)) fields.set(name, field)
    }
  }
  return { fields, others }
}

function readText(node: unknown, name: string, source: string, report: ReportProblem): readonly DraftText[] {
  // `when: true` is the one place where a YAML bool is what its author meant.
  const value = isScalar(node) && name === 'when' && typeof node.value === 'boolean' ? node.source : undefined
  const text = value ?? (isScalar(node) ? node.value : undefined)
  const offset = startOf(node)
  if (typeof text !== 'string' || text.trim() === '') {
    report(offset, `${name} is not a text`)
    return []
  }
  const end = isScalar(node) && node.range ? node.range[1] : offset
  return [{ text, offset, locate: (inner) => locateInScalar(source, offset, end, text, inner) }]
}

function startOf(node: unknown): number {
  return isPositioned(node) ? (node.range?.[0] ?? 0) : 0
}

function isPositioned(node: unknown): node is Node | ParsedNode {
  return isMap(node) || isSeq(node) || isScalar(node) || isAlias(node)
}
