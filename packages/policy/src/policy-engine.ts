import type { EngineVerdict } from './engine-verdict.ts'
import type { PolicyInput } from './policy-input.ts'
import type { RuleExplanation } from './rule-explanation.ts'

/**
 * One document of a policy set, in whatever language: what `parley/v1`, Cedar, Rego and the forms of others have in common.
 * A set asks all of them, and all must allow.
 *
 * I1 All methods are synchronous, pure and bounded in time; what has to be loaded is loaded before the engine exists.
 * I2 Undecided is denied: a method that throws denies with `policy.evaluation-failed`, and no engine allows by absence.
 * I3 `hash` changes whenever a decision could.
 */
export interface PolicyEngine {
  /** Names the document in decisions and records; unique in a set. */
  readonly name: string
  /** What the document is written in, for people: `parley/v1`, `cedar`, `rego`. */
  readonly language: string
  /** Where it came from, for messages. */
  readonly file: string
  /** base64url SHA-256 over all that its decisions depend on. */
  readonly hash: string
  /** Names of its rules in their order, for lists and lint; empty if the language has none. */
  readonly rules: readonly string[]
  /**
   * Redacts or rewrites the body; undefined leaves it as it is. Asked before anybody decides, one document after the
   * other, so that all decide on the result. Must not change what `input.body()` returned.
   */
  transform?(input: PolicyInput): EngineTransform | undefined
  /** Decides one hop. */
  decide(input: PolicyInput): EngineVerdict
  /** Says of each rule whether it matched, and why not. For people: it may be slow. */
  explain?(input: PolicyInput): readonly RuleExplanation[]
}

/** A body that a rule redacted or rewrote. */
export interface EngineTransform {
  readonly rule: string
  /** Plain JSON: what is delivered, or sent, instead. */
  readonly body: unknown
}
