import { compilePattern } from '../condition/linear-pattern.ts'
import { parseBodyPath, redactAt } from './body-rewrite.ts'

/** What is redacted of a body, in the words of the documents of `parley/v1`. */
export interface RedactionText {
  /** Paths such as `body.notes[*].text`. */
  readonly redact: readonly string[]
  /** A pattern of RE2: only what it finds in a text is replaced; without it the whole value. */
  readonly matching?: string | undefined
  /** What stands there instead; by default `[redacted]`. */
  readonly with?: string | undefined
}

/** Takes a body and gives the redacted one; the given one is not changed. */
export type Redaction = (body: unknown) => unknown

/** What stands in the place of something that was redacted, unless a document says otherwise. */
export const defaultReplacement = '[redacted]'

/** Compiles a redaction for engines of other languages, so that it means the same in all. Returns what is wrong as a text. */
export function compileRedaction(text: RedactionText): Redaction | string {
  const paths = text.redact.map(parseBodyPath)
  const wrong = text.redact[paths.indexOf(undefined)]
  if (wrong !== undefined) return `'${wrong}' is no path into the body: write body.a.b or body.list[*].c`
  const pattern = text.matching === undefined ? undefined : compilePattern(text.matching)
  if (typeof pattern === 'string') return pattern
  const { with: replacement = defaultReplacement } = text
  return (body) =>
    paths.reduce<unknown>((changed, path) => (path ? redactAt(changed, { path, pattern, replacement }) : changed), body)
}
