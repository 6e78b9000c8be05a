import type { BenchInput } from './rule-set.ts'

/** One engine with a set of rules in it. */
export interface Decider {
  readonly name: string
  /** Lays an input out as the engine takes it: what is before the measured work. */
  prepare(input: BenchInput): unknown
  /** The measured work: an input as `prepare` gave it to a whole decision. */
  decide(prepared: unknown): unknown
  /** Reads a decision as `allow rule-3`, or `deny default`; without the rule where the engine does not tell it. */
  read(decision: unknown): string
}
