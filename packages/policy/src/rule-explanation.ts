import type { PolicyEffect } from './policy-effect.ts'

/** What one rule says of a hop. */
export interface RuleExplanation {
  readonly document: string
  readonly rule: string
  readonly effect: PolicyEffect
  readonly result: 'matched' | 'not-matched' | 'failed'
  /** For `not-matched` the first clause that was false; for `failed` what broke. */
  readonly because?: string
  /** How many clauses before that one were true: of rules that could have allowed, the one that came furthest says most. */
  readonly held?: number
}
