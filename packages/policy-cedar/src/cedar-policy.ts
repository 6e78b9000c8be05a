import type { Redaction } from '@parley/policy'

/** One policy of a document that was read and checked. */
export interface CedarPolicy {
  /** Its `@id`, or `policy` and its place from 0. */
  readonly id: string
  readonly text: string
  readonly effect: 'permit' | 'forbid'
  /** Its `@reason`: what a refusal by it says. */
  readonly reason: string | undefined
  /** What it changes of a body, in the place of deciding. */
  readonly redaction: Redaction | undefined
  /** The parts of the context that it reads. */
  readonly reads: ReadonlySet<string>
}
