import {
  locateInScalar,
  openYaml,
  startOfNode,
  type PolicyProblem,
  type PolicySource,
  type ReportProblem,
} from '@parley/policy'
import { isMap, isScalar, isSeq, type YAMLMap } from 'yaml'

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

/** Opens a document, whose root is read like any map of it; undefined if its YAML is not in order. */
export function openDocument(
  source: PolicySource,
  problems: PolicyProblem[],
): { readonly root: YamlFields; readonly report: ReportProblem } | undefined {
  const opened = openYaml(source, problems)
  if (opened === undefined) return undefined
  const { root, report } = opened
  return { root: openFields(root, source.text, report), report }
}

function openFields(map: YAMLMap, source: string, report: ReportProblem): YamlFields {
  const values = new Map<string, { readonly node: unknown; readonly keyOffset: number }>()
  const offset = startOfNode(map)
  for (const { key, value } of map.items) {
    if (isScalar(key) && typeof key.value === 'string')
      values.set(key.value, { node: value, keyOffset: startOfNode(key) })
    else report(startOfNode(key), 'the key is not a text')
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
      report(found.node === null ? found.keyOffset : startOfNode(found.node), `${key} is not ${what}`)
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
        if (value === undefined) report(startOfNode(item), `not ${what}`)
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
              report(startOfNode(pair.value ?? pair.key), 'not a map')
              return []
            })
          : undefined,
      ),
    value(key) {
      const node = at(key)
      return node === undefined ? undefined : { node, offset: startOfNode(node) }
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
  const offset = startOfNode(node)
  const end = node.range?.[1] ?? offset
  return { text, offset, locate: (inner) => locateInScalar(source, offset, end, text, inner) }
}

function readNumber(node: unknown): PlacedNumber | undefined {
  if (!isScalar(node) || typeof node.value !== 'number' || !Number.isFinite(node.value)) return undefined
  return { value: node.value, offset: startOfNode(node) }
}
