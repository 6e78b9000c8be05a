import type { ErrorCode } from '@parley/protocol'
import type { ApprovalDemand } from './approval-demand.ts'
import type { PolicyEffect } from './policy-effect.ts'
import type { PolicyLimit } from './policy-limit.ts'

/** An advisory rule that matched, or a rule that failed without deciding. */
export interface EngineAdvice {
  readonly rule: string
  readonly effect: PolicyEffect
  /** Why the rule could not be evaluated; never a value of the input. */
  readonly failed?: string
}

/** What every verdict may carry. `rule` is the one that decided; `default` is the document's default. */
interface EngineSaid {
  readonly rule: string
  readonly advice?: readonly EngineAdvice[]
}

/** The document lets the hop pass, if its limits do. */
export interface EngineAllow extends EngineSaid {
  readonly kind: 'allow'
  /** Taken from only if every document allows. */
  readonly limits?: readonly PolicyLimit[]
  /** What whoever acts on the hop has to do besides, as words that both sides know; they travel down the chain. */
  readonly obligations?: readonly string[]
}

/** The document refuses the hop. `reason` holds no value of the input. */
export interface EngineDeny extends EngineSaid {
  readonly kind: 'deny'
  readonly code: ErrorCode
  readonly reason: string
}

/** The document lets the hop pass once somebody approved it, within its limits. */
export interface EngineAsk extends EngineSaid {
  readonly kind: 'require_approval'
  readonly reason: string
  readonly demand: ApprovalDemand
  readonly limits?: readonly PolicyLimit[]
  readonly obligations?: readonly string[]
}

/** What one document says of one hop. */
export type EngineVerdict = EngineAllow | EngineDeny | EngineAsk
