import { manifestCases } from './manifest-cases.ts'
import { compareAnswers, inItsSpelling, renderComparison, type ComparedAnswer } from './render-comparison.ts'
import { compareLanguages, renderLanguages } from './render-languages.ts'
import { casesAsTheyAre, casesInItsSpelling } from './toolkit-cases.ts'

/** The page that shows all answers, from the root of the repository. */
export const comparisonPage = 'docs/policy-compared.md'

/** All answers, by the name of their table on the page. */
export function compareAll(): Readonly<Record<string, readonly ComparedAnswer[]>> {
  return {
    'as they are': compareAnswers(casesAsTheyAre),
    'in its spelling': compareAnswers(casesInItsSpelling, inItsSpelling),
    manifests: compareAnswers(manifestCases),
  }
}

/** Writes all tables into the page. */
export function fillComparisonPage(page: string): string {
  const tables = Object.entries(compareAll()).map(([name, answers]) => [name, renderComparison(answers)] as const)
  return [...tables, ['languages', renderLanguages(compareLanguages())] as const].reduce(
    (text, [name, table]) => fillTable(text, name, table),
    page,
  )
}

/** Replaces the table between `<!-- name -->` and the end mark after it. */
export function fillTable(page: string, name: string, table: string): string {
  const start = `<!-- ${name} -->\n`
  const [before, rest] = page.split(start)
  if (before === undefined || rest === undefined) throw new RangeError(`the page has no mark ${start}`)
  return `${before}${start}\n${table}\n\n${rest.slice(rest.indexOf('<!-- end -->'))}`
}
