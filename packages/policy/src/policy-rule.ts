import type { ErrorCode } from '@parley/protocol'
import type { Condition } from './condition.ts'
import type { PolicyEffect } from './policy-effect.ts'

/** One compiled line of a document. */
export interface PolicyRule {
  readonly name: string
  readonly effect: PolicyEffect
  readonly condition: Condition
  /** What a refusal by this rule carries. */
  readonly code: ErrorCode
  readonly reason: string
  /** The agent names that may approve; empty means whoever the mesh lets approve. */
  readonly approvers: readonly string[]
}
