import { locateInScalar, type PolicyProblem, type PolicySource } from '@parley/policy'
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Node, type YAMLMap } from 'yaml'

/** The largest document, in UTF-16 code units. */
export const maxDocumentLength: number = 1024 * 1024

const maxYamlFaults = 100

/** Takes a mistake at an offset of the document. */
export type Report = (offset: number, problem: string) => void

/** A text of a document, with where it stands. */
export interface PlacedText {
  readonly text: string
  readonly offset: number
  /** Translates an offset in `text` into one of the document. */
  locate(inner: number): number
}

/** A number of a document, with where it stands. */
export interface PlacedNumber {
  readonly value: number
  readonly offset: number
}

/** A value of which only the reader knows the shape. */
export interface PlacedValue {
  readonly node: unknown
  readonly offset: number
}

/**
 * One map of a document, read key by key. A key that is never asked for is a mistake, which `close` reports: what nobody
 * reads, nobody honours. A value of the wrong type is reported and read as absent.
 */
export interface YamlFields {
  readonly offset: number
  text(key: string): PlacedText | undefined
  number(key: string): PlacedNumber | undefined
  flag(key: string): boolean | undefined
  /** Reads a list of texts, or one text. */
  texts(key: string): readonly PlacedText[] | undefined
  map(key: string): YamlFields | undefined
  maps(key: string): readonly YamlFields[] | undefined
  /** Reads a map of maps, whose keys the author chose. */
  entries(key: string): readonly (readonly [name: PlacedText, fields: YamlFields])[] | undefined
  /** Takes a value of any type as it is. */
  value(key: string): PlacedValue | undefined
  /** Refuses a key if it is there, with its reason. */
  refuse(key: string, reason: string): void
  /** Reads a key that says nothing that could be decided by, such as a description. */
  ignore(...keys: readonly string[]): void
  /** Reports every key that was not asked for. */
  close(): void
}

/**
 * Parses the YAML 1.2 of a source. Mistakes are appended to `problems` with file, line and column; undefined if there is
 * nothing to go on with. Aliases and tags are refused: no text means more than it shows.
 */
export function openYaml(
  { file, text }: PolicySource,
  problems: PolicyProblem[],
): { readonly root: YamlFields; readonly report: Report } | undefined {
  const lines = new LineCounter()
  const report: Report = (offset, problem) => {
    const { line, col } = lines.linePos(offset)
    problems.push({ file, line: Math.max(1, line), column: Math.max(1, col), problem })
  }
  if (text.length > maxDocumentLength) {
    report(0, `the document is larger than ${String(maxDocumentLength)} characters`)
    return undefined
  }
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const faults = [...yaml.errors, ...yaml.warnings]
  for (const fault of faults.slice(0, maxYamlFaults)) {
    const deep = fault.code === 'RESOURCE_EXHAUSTION'
    report(fault.pos[0], deep ? 'the document is nested too deeply' : `not valid YAML: ${fault.message}`)
    if (deep) break
  }
  if (faults.length > 0) return undefined
  let aliases = 0
  visit(yaml, {
    Alias(_key, node) {
      if (aliases++ < maxYamlFaults) report(startOf(node), `the alias *${node.source} is refused: write the value out`)
    },
  })
  if (aliases > 0) return undefined
  if (!isMap(yaml.contents)) {
    report(0, 'the document is not a map')
    return undefined
  }
  return { root: openFields(yaml.contents, text, report), report }
}

function openFields(map: YAMLMap, source: string, report: Report): YamlFields {
  const values = new Map<string, { readonly node: unknown; readonly keyOffset: number }>()
  const offset = startOf(map)
  for (const { key, value } of map.items) {
    if (isScalar(key) && typeof key.value === 'string') values.set(key.value, { node: value, keyOffset: startOf(key) })
    else report(startOf(key), 'the key is not a text')
  }
  const asked = new Set<string>()
  const at = (key: string): unknown => {
    asked.add(key)
    return values.get(key)?.node ?? undefined
  }
  /** An empty value is a mistake: whoever wrote the key meant something by it. */
  const read = <T>(key: string, what: string, convert: (node: unknown) => T | undefined): T | undefined => {
    asked.add(key)
    const found = values.get(key)
    if (found === undefined) return undefined
    const value = convert(found.node)
    if (value === undefined)
      report(found.node === null ? found.keyOffset : startOf(found.node), `${key} is not ${what}`)
    return value
  }
  const textOf = (node: unknown): PlacedText | undefined => readText(node, source)
  const fieldsOf = (node: unknown): YamlFields | undefined =>
    isMap(node) ? openFields(node, source, report) : undefined
  const listOf =
    <T>(each: (node: unknown) => T | undefined, what: string) =>
    (node: unknown): readonly T[] | undefined => {
      if (!isSeq(node)) return undefined
      return node.items.flatMap((item) => {
        const value = each(item)
        if (value === undefined) report(startOf(item), `not ${what}`)
        return value === undefined ? [] : [value]
      })
    }
  return {
    offset,
    text: (key) => read(key, 'a text', textOf),
    number: (key) => read(key, 'a number', readNumber),
    flag: (key) =>
      read(key, 'true or false', (node) =>
        isScalar(node) && typeof node.value === 'boolean' ? node.value : undefined,
      ),
    texts: (key) =>
      read(key, 'a text or a list of texts', (node) => {
        const one = textOf(node)
        return one === undefined ? listOf(textOf, 'a text')(node) : [one]
      }),
    map: (key) => read(key, 'a map', fieldsOf),
    maps: (key) => read(key, 'a list of maps', listOf(fieldsOf, 'a map')),
    entries: (key) =>
      read(key, 'a map of maps', (node) =>
        isMap(node)
          ? node.items.flatMap((pair) => {
              const name = textOf(pair.key)
              const fields = fieldsOf(pair.value)
              if (name !== undefined && fields !== undefined) return [[name, fields] as const]
              report(startOf(pair.value ?? pair.key), 'not a map')
              return []
            })
          : undefined,
      ),
    value(key) {
      const node = at(key)
      return node === undefined ? undefined : { node, offset: startOf(node) }
    },
    refuse(key, reason) {
      asked.add(key)
      const found = values.get(key)
      if (found !== undefined) report(found.keyOffset, `${key} is refused: ${reason}`)
    },
    ignore(...keys) {
      for (const key of keys) asked.add(key)
    },
    close() {
      for (const [key, { keyOffset }] of values) {
        if (!asked.has(key)) report(keyOffset, `unknown key ${key}: there are ${[...asked].join(', ')}`)
      }
    },
  }
}

/** Reads the texts of a list node, or undefined for anything else. */
export function readLiterals(node: unknown): readonly (string | number | boolean)[] | undefined {
  if (!isSeq(node)) return undefined
  const values = node.items.map((item) => (isScalar(item) ? item.value : undefined))
  return values.every((value) => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    ? values
    : undefined
}

function readText(node: unknown, source: string): PlacedText | undefined {
  if (!isScalar(node) || typeof node.value !== 'string' || node.value.trim() === '') return undefined
  const text = node.value
  const offset = startOf(node)
  const end = node.range?.[1] ?? offset
  return { text, offset, locate: (inner) => locateInScalar(source, offset, end, text, inner) }
}

function readNumber(node: unknown): PlacedNumber | undefined {
  if (!isScalar(node) || typeof node.value !== 'number' || !Number.isFinite(node.value)) return undefined
  return { value: node.value, offset: startOf(node) }
}

function startOf(node: unknown): number {
  return isPositioned(node) ? (node.range?.[0] ?? 0) : 0
}

function isPositioned(node: unknown): node is Node {
  return isMap(node) || isSeq(node) || isScalar(node) || isAlias(node)
}
