import type { HopChanges } from '../../packages/policy/src/policy-input.fixture.ts'

/** One hop that the toolkit and we are asked about. */
export interface ComparedCase {
  /** The file of `documents/` that decides. */
  readonly document: string
  /** The capability; the toolkit is told its operation, as `action.type`. */
  readonly action: `${string}:${string}`
  /** The arguments; the toolkit gets them as its context. */
  readonly body: Readonly<Record<string, unknown>>
  readonly hop: HopChanges
  /** Why the answers differ; absent if they are the same. */
  readonly why: string | undefined
}

/** Writes cases of one document as lines of action, arguments, why the answers differ, and changes of the hop. */
export function casesOf(
  document: string,
  lines: readonly (readonly [
    action: `${string}:${string}`,
    body: Readonly<Record<string, unknown>>,
    why?: string | undefined,
    hop?: HopChanges,
  ])[],
): readonly ComparedCase[] {
  return lines.map(([action, body, why, hop = {}]) => ({ document, action, body, why, hop }))
}
