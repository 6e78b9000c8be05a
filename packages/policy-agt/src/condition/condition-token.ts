/** What a token of a condition is. */
export type TokenKind = 'word' | 'text' | 'number' | 'operator' | 'punctuation' | 'end'

/** One token of a condition. `offset` and `end` count UTF-16 code units of the condition. */
export interface ConditionToken {
  readonly kind: TokenKind
  /** The characters that were written; of a quoted text what stands between the quotes. */
  readonly text: string
  readonly offset: number
  readonly end: number
}

/** A condition that is not read on: what is wrong, and where. */
export class ConditionFault extends Error {
  readonly offset: number
  constructor(offset: number, problem: string) {
    super(problem)
    this.offset = offset
  }
}

const blank = /\s+/y
const word = /[A-Za-z_]\w*(?:\.\w+)*/y
const number = /-?\d+(?:\.\d+)?(?![\w.])/y
const operator = /==|!=|>=|<=|>|</y
const punctuation = /[()[\],]/y

/**
 * Splits a condition into tokens; the last one is `end`. What stands between quotes is one token, whatever words it holds.
 * Throws `ConditionFault` for a quote without its second one, and for characters that the language does not have.
 */
export function tokenizeCondition(text: string): readonly ConditionToken[] {
  const tokens: ConditionToken[] = []
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(text)?.[0]
  }
  const push = (kind: TokenKind, written: string, length: number): void => {
    tokens.push({ kind, text: written, offset: at, end: at + length })
    at += length
  }
  while (at < text.length) {
    const quote = text.charAt(at)
    const space = take(blank)
    if (space !== undefined) {
      at += space.length
      continue
    }
    if (quote === "'" || quote === '"') {
      const close = text.indexOf(quote, at + 1)
      if (close === -1) throw new ConditionFault(at, `the text has no closing ${quote}`)
      push('text', text.slice(at + 1, close), close + 1 - at)
      continue
    }
    const found = scan(take)
    if (found === undefined) throw new ConditionFault(at, describeUnknown(text, at))
    push(found.kind, found.text, found.text.length)
  }
  tokens.push({ kind: 'end', text: '', offset: at, end: at })
  return tokens
}

function scan(
  take: (pattern: RegExp) => string | undefined,
): { readonly kind: TokenKind; readonly text: string } | undefined {
  const kinds = [
    ['number', number],
    ['word', word],
    ['operator', operator],
    ['punctuation', punctuation],
  ] as const
  for (const [kind, pattern] of kinds) {
    const text = take(pattern)
    if (text !== undefined) return { kind, text }
  }
  return undefined
}

function describeUnknown(text: string, at: number): string {
  const pair = text.slice(at, at + 2)
  if (pair === '&&') return '&& is not of this language: write and'
  if (pair === '||') return '|| is not of this language: write or'
  if (pair.startsWith('!')) return '! is not of this language: write not'
  if (pair.startsWith('=')) return '= is not of this language: write =='
  return `unexpected character ${JSON.stringify(text.charAt(at))}`
}
