import type { ToolkitCondition } from './condition/toolkit-condition.ts'
import type { RateLimit } from './rate-limit.ts'

/** What a rule of the toolkit does; `warn` and `log` are advice, which decides nothing. */
export const toolkitActions = ['allow', 'deny', 'require_approval', 'warn', 'log'] as const

/** One of `toolkitActions`. */
export type ToolkitAction = (typeof toolkitActions)[number]

/** For whom a document speaks: what `most_specific_wins` orders by. */
export const toolkitScopes = ['global', 'tenant', 'agent'] as const

/** One of `toolkitScopes`. */
export type ToolkitScope = (typeof toolkitScopes)[number]

/** When a rule is asked: before an agent takes something in (`pre_input`), or before a call (`pre_tool`). */
export type ToolkitStage = 'pre_input' | 'pre_tool'

/** One compiled rule, with what it has of its document. */
export interface ToolkitRule {
  readonly name: string
  readonly action: ToolkitAction
  readonly condition: ToolkitCondition
  readonly reason: string
  readonly stage: ToolkitStage
  readonly scope: ToolkitScope
  /** Higher is asked earlier. */
  readonly priority: number
  readonly approvers: readonly string[]
  readonly limit: RateLimit | undefined
  /** Whether it came from a document that this one extends. */
  readonly inherited: boolean
}
