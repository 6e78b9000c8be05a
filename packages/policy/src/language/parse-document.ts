import { isMap, isScalar, isSeq, type YAMLMap } from 'yaml'
import type { PolicyProblem, ReportProblem } from '../policy-problem.ts'
import type { PolicySource } from '../policy-source.ts'
import { openYaml, startOfNode } from './open-yaml.ts'
import { locateInScalar } from './scalar-position.ts'

/** A text of a document with where it stands. */
export interface DraftText {
  readonly text: string
  readonly offset: number
  /** Translates an offset in `text` into one of the document. */
  locate(offset: number): number
}

/** A map of a document as it was written: the values that are texts, those that are lists, and those that are maps. */
export interface DraftMap<Key extends string> {
  readonly offset: number
  readonly fields: ReadonlyMap<Key, DraftText>
  readonly lists: ReadonlyMap<Key, readonly DraftText[]>
  readonly maps: ReadonlyMap<Key, readonly (readonly [DraftText, DraftText])[]>
}

/** A rule as it was written. */
export type DraftRule = DraftMap<RuleKey>

/** A document as it was written: its shape is right, what the texts say is not checked yet. */
export interface DraftDocument extends DraftMap<DocumentKey> {
  readonly rules: readonly DraftRule[]
  readonly report: ReportProblem
  /** Line and column from 1. */
  positionOf(offset: number): { readonly line: number; readonly column: number }
}

type Shape = 'text' | 'number' | 'list' | 'map' | 'rules'

const documentKeys: Readonly<Record<DocumentKey, Shape>> = {
  apiVersion: 'text',
  name: 'text',
  description: 'text',
  default: 'text',
  conflicts: 'text',
  extends: 'list',
  rules: 'rules',
}

const ruleKeys: Readonly<Record<RuleKey, Shape>> = {
  name: 'text',
  description: 'text',
  when: 'text',
  effect: 'text',
  priority: 'number',
  code: 'text',
  reason: 'text',
  approvers: 'list',
  requires: 'number',
  within: 'text',
  limit: 'text',
  maxAmount: 'number',
  amountOf: 'text',
  obligations: 'list',
  redact: 'list',
  matching: 'text',
  with: 'text',
  rewrite: 'map',
}

/** The keys of a document. */
export type DocumentKey = 'apiVersion' | 'name' | 'description' | 'default' | 'conflicts' | 'extends' | 'rules'

/** The keys of a rule. */
export type RuleKey =
  | 'name'
  | 'description'
  | 'when'
  | 'effect'
  | 'priority'
  | 'code'
  | 'reason'
  | 'approvers'
  | 'requires'
  | 'within'
  | 'limit'
  | 'maxAmount'
  | 'amountOf'
  | 'obligations'
  | 'redact'
  | 'matching'
  | 'with'
  | 'rewrite'

/**
 * Reads the YAML 1.2 of a document and its shape. Mistakes are appended to `problems` with their position; returns
 * undefined when there is no document to go on with. Aliases and tags are refused: no text means more than it shows.
 */
export function parseDocument(source: PolicySource, problems: PolicyProblem[]): DraftDocument | undefined {
  const opened = openYaml(source, problems)
  if (opened === undefined) return undefined
  const { root, report, positionOf } = opened
  const reader = { source: source.text, report }
  const rules = root.items.find(({ key }) => isScalar(key) && key.value === 'rules')?.value
  if (rules === undefined) report(startOfNode(root), 'rules is missing: give a list, which may be empty')
  else if (!isSeq(rules)) report(startOfNode(rules), 'rules is not a list')
  return {
    ...readMap(root, documentKeys, reader),
    report,
    positionOf,
    rules: isSeq(rules) ? rules.items.flatMap((item) => readRule(item, reader)) : [],
  }
}

interface Reader {
  readonly source: string
  readonly report: ReportProblem
}

function readRule(item: unknown, reader: Reader): readonly DraftRule[] {
  if (isMap(item)) return [readMap(item, ruleKeys, reader)]
  reader.report(startOfNode(item), `the rule is not a map with the keys ${Object.keys(ruleKeys).join(', ')}`)
  return []
}

function readMap<Key extends string>(map: YAMLMap, known: Readonly<Record<Key, Shape>>, reader: Reader): DraftMap<Key> {
  const { report } = reader
  const fields = new Map<Key, DraftText>()
  const lists = new Map<Key, readonly DraftText[]>()
  const maps = new Map<Key, readonly (readonly [DraftText, DraftText])[]>()
  for (const { key, value } of map.items) {
    const name = isScalar(key) && isKeyOf(known, key.value) ? key.value : undefined
    if (name === undefined) {
      const shown = isScalar(key) ? String(key.value) : '?'
      report(startOfNode(key), `unknown key ${shown}: there are ${Object.keys(known).join(', ')}`)
      continue
    }
    const shape = known[name]
    if (shape === 'list') lists.set(name, readList(value, key, name, reader))
    else if (shape === 'map') maps.set(name, readPairs(value, key, name, reader))
    else if (shape !== 'rules')
      for (const field of readText(value ?? key, name, shape === 'number', reader)) fields.set(name, field)
  }
  return { offset: startOfNode(map), fields, lists, maps }
}

function isKeyOf<Key extends string>(known: Readonly<Record<Key, Shape>>, key: unknown): key is Key {
  return typeof key === 'string' && Object.hasOwn(known, key)
}

/** One text stands for a list of it. */
function readList(value: unknown, key: unknown, name: string, reader: Reader): readonly DraftText[] {
  if (isSeq(value)) return value.items.flatMap((entry) => readText(entry, `an entry of ${name}`, false, reader))
  if (isScalar(value) && typeof value.value === 'string') return readText(value, name, false, reader)
  reader.report(startOfNode(value ?? key), `${name} is not a list of texts`)
  return []
}

function readPairs(
  value: unknown,
  key: unknown,
  name: string,
  reader: Reader,
): readonly (readonly [DraftText, DraftText])[] {
  if (!isMap(value)) {
    reader.report(startOfNode(value ?? key), `${name} is not a map`)
    return []
  }
  return value.items.flatMap((pair) => {
    const [path] = readText(pair.key, `a key of ${name}`, false, reader)
    const [expression] = readText(pair.value ?? pair.key, `a value of ${name}`, true, reader)
    return path && expression ? [[path, expression] as const] : []
  })
}

function readText(node: unknown, name: string, takesNumber: boolean, reader: Reader): readonly DraftText[] {
  const { source, report } = reader
  // `when: true` and numbers are the places where a YAML scalar that is no text is what its author meant.
  const isMeant =
    isScalar(node) &&
    ((name === 'when' && typeof node.value === 'boolean') ||
      (takesNumber && (typeof node.value === 'number' || typeof node.value === 'boolean')))
  const text = isMeant ? node.source : isScalar(node) ? node.value : undefined
  const offset = startOfNode(node)
  if (typeof text !== 'string' || text.trim() === '') {
    report(offset, `${name} is not a text`)
    return []
  }
  const end = isScalar(node) && node.range ? node.range[1] : offset
  return [{ text, offset, locate: (inner) => locateInScalar(source, offset, end, text, inner) }]
}
