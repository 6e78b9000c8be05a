import type { ErrorCode } from '@parley/protocol'
import type { ApprovalDemand } from '../approval-demand.ts'
import type { Condition } from '../condition/condition.ts'
import type { EngineAllow } from '../engine-verdict.ts'
import type { PolicyEffect } from '../policy-effect.ts'
import type { BodyRewrite } from './body-rewrite.ts'
import type { RuleLimit } from './rule-limit.ts'

/** About whom a rule speaks, by what its condition requires at its top; the first is the most specific. */
export const ruleScopes = ['agent', 'owner', 'mesh'] as const

/** One of `ruleScopes`. */
export type RuleScope = (typeof ruleScopes)[number]

/** One compiled rule of a `parley/v1` document. */
export interface PolicyRule {
  readonly name: string
  /** The document that it was written in; another one than decides by it where that `extends` it. */
  readonly writtenIn: string
  readonly effect: PolicyEffect
  readonly condition: Condition
  /** Where its `when` starts: line and column from 1. */
  readonly position: { readonly line: number; readonly column: number }
  /** The highest comes first under `priority_first_match`; others ignore it. */
  readonly priority: number
  readonly scope: RuleScope
  /** What a refusal by this rule carries. */
  readonly code: ErrorCode
  readonly reason: string
  /** What `require_approval` asks for. */
  readonly demand: ApprovalDemand | undefined
  /** What has to be paid whenever the condition holds. */
  readonly limits: readonly RuleLimit[]
  readonly obligations: readonly string[]
  /** What `transform` does. */
  readonly rewrites: readonly BodyRewrite[]
  /** What an allow by this rule says where there is nothing to add: made once. */
  readonly allow: EngineAllow
  /** An allow that cannot be evaluated does not allow, but does not deny either. */
  readonly isSkippedOnFailure: boolean
}
