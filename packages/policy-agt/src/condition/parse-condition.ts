import { ConditionFault, tokenizeCondition, type ConditionToken } from './condition-token.ts'
import type { ComparisonOperator, ConditionTree, PlacedLiteral } from './condition-tree.ts'

/** How long a condition may be, in UTF-16 code units: the bound of the toolkit itself. */
export const maxConditionLength = 2_000

const maxDepth = 20
const maxListLength = 200

const joiners: ReadonlySet<string> = new Set(['and', 'or', 'not', 'in'])
const foreign: ReadonlyMap<string, string> = new Map([
  ['AND', 'write and'],
  ['OR', 'write or'],
  ['NOT', 'write not'],
  ['IN', 'write in'],
  ['matches', 'a regular expression can run away; compare with == or in'],
  ['contains', 'compare with == or in'],
  ['startswith', 'compare with == or in'],
  ['startsWith', 'compare with == or in'],
  ['endswith', 'compare with == or in'],
  ['endsWith', 'compare with == or in'],
  ['is', 'write =='],
])

/**
 * Parses a condition. From loosest to tightest: `or`, `and`, `not`, then a comparison, a path alone, or parentheses. Throws
 * `ConditionFault` at whatever is not of the language; nothing is skipped.
 */
export function parseCondition(text: string): ConditionTree {
  if (text.length > maxConditionLength) {
    throw new ConditionFault(0, `the condition is longer than ${String(maxConditionLength)} characters`)
  }
  const tokens = tokenizeCondition(text)
  let at = 0
  const peek = (): ConditionToken => tokenAt(tokens, at)
  const next = (): ConditionToken => tokenAt(tokens, at++)
  const isWord = (word: string): boolean => peek().kind === 'word' && peek().text === word
  const isMark = (mark: string): boolean => peek().kind === 'punctuation' && peek().text === mark

  const parseJunction = (kind: 'or' | 'and', depth: number, inner: (depth: number) => ConditionTree): ConditionTree => {
    const first = inner(depth)
    const parts = [first]
    let { end } = first
    while (isWord(kind)) {
      next()
      const part = inner(depth)
      parts.push(part)
      ;({ end } = part)
    }
    return parts.length === 1 ? first : { kind, offset: first.offset, end, parts }
  }
  const parseOr = (depth: number): ConditionTree => parseJunction('or', depth, parseAnd)
  const parseAnd = (depth: number): ConditionTree => parseJunction('and', depth, parseNot)
  const parseNot = (depth: number): ConditionTree => {
    if (depth > maxDepth) throw new ConditionFault(peek().offset, `nested deeper than ${String(maxDepth)}`)
    if (!isWord('not')) return parseAtom(depth)
    const { offset } = next()
    const part = parseNot(depth + 1)
    return { kind: 'not', offset, end: part.end, part }
  }
  const parseAtom = (depth: number): ConditionTree => {
    if (!isMark('(')) return parseComparison()
    const open = next()
    const inner = parseOr(depth + 1)
    if (!isMark(')')) fail(peek(), `the closing ) of the ( before`)
    return { ...inner, offset: open.offset, end: next().end }
  }
  const parseComparison = (): ConditionTree => {
    const path = next()
    if (path.kind !== 'word' || joiners.has(path.text)) fail(path, 'a name such as action.type')
    const base = { kind: 'comparison', path: path.text, offset: path.offset } as const
    const operator = parseOperator()
    if (operator === undefined) return { ...base, end: path.end, operator, literals: [] }
    if (operator === 'in' || operator === 'not in') return { ...base, operator, ...parseList() }
    const literal = next()
    return { ...base, operator, literals: [readLiteral(literal)], end: literal.end }
  }
  const parseOperator = (): ComparisonOperator | undefined => {
    const token = peek()
    if (token.kind === 'operator') return next().text as ComparisonOperator
    if (token.kind !== 'word') return undefined
    if (token.text === 'in') {
      next()
      return 'in'
    }
    if (token.text === 'not') {
      next()
      if (!isWord('in')) fail(peek(), 'in')
      next()
      return 'not in'
    }
    const hint = foreign.get(token.text)
    if (hint !== undefined) throw new ConditionFault(token.offset, `the operator ${token.text} is refused: ${hint}`)
    return undefined
  }
  const parseList = (): { readonly literals: readonly PlacedLiteral[]; readonly end: number } => {
    if (!isMark('[')) fail(peek(), 'a list in [ ]')
    const open = next()
    const literals: PlacedLiteral[] = []
    while (!isMark(']')) {
      if (literals.length > 0) {
        if (!isMark(',')) fail(peek(), ', or ]')
        next()
      }
      literals.push(readLiteral(next()))
      if (literals.length > maxListLength) {
        throw new ConditionFault(open.offset, `the list is longer than ${String(maxListLength)}`)
      }
    }
    if (literals.length === 0) throw new ConditionFault(open.offset, 'the list is empty: the comparison says nothing')
    return { literals, end: next().end }
  }

  const tree = parseOr(0)
  const rest = peek()
  if (rest.kind !== 'end') {
    const hint = foreign.get(rest.text)
    if (hint !== undefined) throw new ConditionFault(rest.offset, `the operator ${rest.text} is refused: ${hint}`)
    fail(rest, 'and, or, or the end')
  }
  return tree
}

function readLiteral(token: ConditionToken): PlacedLiteral {
  const { kind, text, offset } = token
  if (kind === 'text') return { value: text, offset }
  if (kind === 'number') return { value: Number(text), offset }
  if (kind === 'word' && (text === 'true' || text === 'false')) return { value: text === 'true', offset }
  if (kind === 'word')
    throw new ConditionFault(
      offset,
      `${text} is not in quotes: only texts, numbers, true and false can be compared with`,
    )
  return fail(token, 'a text in quotes, a number, true or false')
}

function fail(token: ConditionToken, expected: string): never {
  const found = token.kind === 'end' ? 'the end' : JSON.stringify(token.text)
  throw new ConditionFault(token.offset, `expected ${expected}, found ${found}`)
}

function tokenAt(tokens: readonly ConditionToken[], at: number): ConditionToken {
  const token = tokens[at] ?? tokens.at(-1)
  if (token === undefined) throw new RangeError('a condition has at least its end')
  return token
}
