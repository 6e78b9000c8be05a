// Writes packages/protocol/src/error-codes.ts from errors.json. Run: node protocol/generate-errors.ts
import { readFileSync, writeFileSync } from 'node:fs'

interface ErrorFacts {
  readonly meaning: string
  readonly todo: string
  readonly retryable: boolean
}

const here = import.meta.dirname
const { codes } = JSON.parse(readFileSync(`${here}/errors.json`, 'utf8')) as { codes: Record<string, ErrorFacts> }
const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
const entries = Object.entries(codes)
  .sort(([left], [right]) => (left < right ? -1 : 1))
  .map(
    ([code, facts]) =>
      `  ${quote(code)}: {\n    meaning: ${quote(facts.meaning)},\n    todo: ${quote(facts.todo)},\n    retryable: ${String(facts.retryable)},\n  },\n`,
  )
writeFileSync(
  `${here}/../packages/protocol/src/error-codes.ts`,
  `// Generated from /protocol/errors.json by /protocol/generate-errors.ts; a test keeps the two the same.

/** What is known of an error code: its meaning, what to do, and whether the same call may succeed later. */
export interface ErrorFacts {
  readonly meaning: string
  readonly todo: string
  readonly retryable: boolean
}

/** Every code that a refusal or a failure can carry. */
export const errorCodes: {
${Object.keys(codes)
  .sort()
  .map((code) => `  readonly ${quote(code)}: ErrorFacts\n`)
  .join('')}} = {
${entries.join('')}}

/** A code of /protocol/errors.json. */
export type ErrorCode = keyof typeof errorCodes
`,
)
