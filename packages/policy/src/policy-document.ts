import type { PolicyRule } from './policy-rule.ts'
import type { RuleIndex } from './rule-index.ts'

/** One compiled document. */
export interface PolicyDocument {
  readonly name: string
  readonly file: string
  /** The text that it was compiled from, which is what the policy hash covers. */
  readonly text: string
  /** What it says when no rule of it decides. */
  readonly default: 'allow' | 'deny'
  /** In the order of the text. */
  readonly rules: readonly PolicyRule[]
  /** The same rules by what they do, in the order in which they are asked. */
  readonly indexes: {
    readonly advice: RuleIndex
    readonly deny: RuleIndex
    readonly approval: RuleIndex
    readonly allow: RuleIndex
  }
}
