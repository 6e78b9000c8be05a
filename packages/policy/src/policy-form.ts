import type { PolicyEngine } from './policy-engine.ts'
import type { PolicyProblem } from './policy-problem.ts'
import type { PolicySource } from './policy-source.ts'

/**
 * A form of document that is not `parley/v1`, so that files can be loaded as they are. What cannot be honoured is a
 * problem with its position, never skipped.
 */
export interface PolicyForm {
  /** Names the form for people, for instance `governance.toolkit/v1`. */
  readonly name: string
  /** Tells, by a cheap look, whether the text is of this form. The first form that says so compiles it. */
  accepts(source: PolicySource): boolean
  /** Compiles it; appends all mistakes to `problems`, and what it returns is only good if there was none. */
  compile(source: PolicySource, problems: PolicyProblem[]): PolicyEngine | undefined
}
