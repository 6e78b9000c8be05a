/** One mistake in a policy document. Line and column start at 1. */
export interface PolicyProblem {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly problem: string
}

/** Takes a mistake found at a character offset of the text that is being checked. */
export type ReportProblem = (offset: number, problem: string) => void

/** Formats a mistake as `file:line:column: problem`, which editors turn into a link. */
export function formatProblem(problem: PolicyProblem): string {
  return `${problem.file}:${String(problem.line)}:${String(problem.column)}: ${problem.problem}`
}
