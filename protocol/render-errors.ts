interface ErrorFacts {
  readonly meaning: string
  readonly todo: string
  readonly retryable: boolean
}

/** What errors.json holds. */
export interface ErrorList {
  readonly codes: Readonly<Record<string, ErrorFacts>>
}

const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

function sortCodes(list: ErrorList): readonly (readonly [code: string, facts: ErrorFacts])[] {
  return Object.entries(list.codes).sort(([left], [right]) => (left < right ? -1 : 1))
}

/** Renders packages/protocol/src/error-codes.ts. */
export function renderErrorCodes(list: ErrorList): string {
  const codes = sortCodes(list)
  const types = codes.map(([code]) => `  readonly ${quote(code)}: ErrorFacts\n`).join('')
  const values = codes
    .map(
      ([code, facts]) =>
        `  ${quote(code)}: {\n    meaning: ${quote(facts.meaning)},\n    todo: ${quote(facts.todo)},\n    retryable: ${String(facts.retryable)},\n  },\n`,
    )
    .join('')
  return `// Generated from /protocol/errors.json by /protocol/generate-errors.ts; a test keeps the two the same.

/** What is known of an error code: its meaning, what to do, and whether the same call may succeed later. */
export interface ErrorFacts {
  readonly meaning: string
  readonly todo: string
  readonly retryable: boolean
}

/** Every code that a refusal or a failure can carry. */
export const errorCodes: {
${types}} = {
${values}}

/** A code of /protocol/errors.json. */
export type ErrorCode = keyof typeof errorCodes
`
}

/** Renders docs/errors.md: one table for each family of codes. */
export function renderErrorPage(list: ErrorList): string {
  const families = new Map<string, string[]>()
  for (const [code, facts] of sortCodes(list)) {
    const family = code.slice(0, code.indexOf('.'))
    const rows = families.get(family) ?? []
    rows.push(`| \`${code}\` | ${facts.meaning} | ${facts.todo} | ${facts.retryable ? 'yes' : 'no'} |`)
    families.set(family, rows)
  }
  const tables = [...families].map(
    ([family, rows]) =>
      `## ${family}\n\n| code | means | what to do | the same call may succeed later |\n|---|---|---|---|\n${rows.join('\n')}\n`,
  )
  return `<!-- Generated from /protocol/errors.json by /protocol/generate-errors.ts; a test keeps the two the same. -->

# Error codes

A **refusal** (a decided no, as a value) and a **failure** (a \`MeshError\`) carry one of these codes. Codes are API: they
are added, never changed. Across owners only the code and the hop id travel; the reason stays with the operator.

${tables.join('\n')}`
}
