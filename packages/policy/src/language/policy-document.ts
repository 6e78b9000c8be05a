import type { EngineVerdict } from '../engine-verdict.ts'
import type { HopView } from '../condition/hop-view.ts'
import type { PolicyEngine } from '../policy-engine.ts'
import type { PolicyRule } from './policy-rule.ts'

/** How the rules of one document are weighed against each other. */
export const conflictStrategies = [
  'deny_overrides',
  'allow_overrides',
  'priority_first_match',
  'most_specific_wins',
] as const

/** One of `conflictStrategies`. */
export type ConflictStrategy = (typeof conflictStrategies)[number]

/** A compiled `parley/v1` document: the engine that a set knows from the inside. */
export interface PolicyDocument extends PolicyEngine {
  readonly language: 'parley/v1'
  /** The text that it was compiled from. */
  readonly text: string
  /** What it says when no rule of it decides. */
  readonly default: 'allow' | 'deny'
  readonly conflicts: ConflictStrategy
  /** Names of the documents whose rules it has too, nearest first. */
  readonly parents: readonly string[]
  /** Its own rules after those of its parents, in the order of the texts. */
  readonly compiled: readonly PolicyRule[]
  /** As `decide`, by a view that all documents of one decision share. */
  judge(view: HopView): EngineVerdict
  /** As `transform`. Throws `UnreadableRule` for a rule of this effect that cannot be evaluated. */
  rewrite(view: HopView): { readonly rules: readonly string[]; readonly body: unknown } | undefined
}

/** Tells whether an engine is a document of our own language. */
export function isPolicyDocument(engine: PolicyEngine): engine is PolicyDocument {
  return engine.language === 'parley/v1' && 'judge' in engine
}
