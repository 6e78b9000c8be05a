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
  /** How often the same is asked without a pause; the last answer counts. */
  readonly times: number
  /** Why the answers differ; absent if they are the same. */
  readonly why: string | undefined
}

/** Writes cases of one document as lines of action, arguments, why the answers differ, changes of the hop, and how often. */
export function casesOf(
  document: string,
  lines: readonly (readonly [
    action: `${string}:${string}`,
    body: Readonly<Record<string, unknown>>,
    why?: string | undefined,
    hop?: HopChanges,
    times?: number,
  ])[],
): readonly ComparedCase[] {
  return lines.map(([action, body, why, hop = {}, times = 1]) => ({ document, action, body, why, hop, times }))
}
