import type { Hash } from '@parley/ports'
import { digestJson } from '../approval/approval-subject.ts'
import type { PolicyInput, PolicyObjective } from '../policy-input.ts'

/** What a decision read, as JSON: enough to decide the same hop again. The body is named by its digest. */
export interface KeptInput extends Omit<PolicyInput, 'objective' | 'body'> {
  /** Absent where nothing read it. */
  readonly objective?: PolicyObjective
  /** base64url SHA-256 over the canonical JSON of the body; absent where nothing read it, `unreadable` where there was none. */
  readonly body?: string
}

/** An input that remembers which of its lazy parts a decision read. */
export interface WatchedInput {
  readonly input: PolicyInput
  /** What was read so far. */
  kept(hash: Hash): KeptInput
  /** The body, where it was read. */
  body(): { readonly value: unknown } | undefined
}

/** Digest of a body that was read and could not be. */
const unreadable = 'unreadable'

/** Watches what a decision reads of an input. */
export function watchInput(input: PolicyInput): WatchedInput {
  const { objective: measure, body: parse, ...eager } = input
  let objective: PolicyObjective | undefined
  let body: { readonly value: unknown } | typeof unreadable | undefined
  return {
    input: {
      ...eager,
      objective: () => (objective ??= measure()),
      body() {
        if (typeof body === 'object') return body.value
        body = unreadable
        const value = parse()
        body = { value }
        return value
      },
    },
    kept: (hash) => ({
      ...eager,
      ...(objective ? { objective } : {}),
      ...(body === undefined ? {} : { body: body === unreadable ? unreadable : digestJson(body.value, hash) }),
    }),
    body: () => (typeof body === 'object' ? body : undefined),
  }
}

/** Parses what was kept of an input; undefined if the text is none. */
export function parseKeptInput(text: string): KeptInput | undefined {
  try {
    const value = JSON.parse(text) as Partial<KeptInput> | null
    const { action, direction, caller, callee, delegation, hop, saga, time } = value ?? {}
    const parts: readonly unknown[] = [caller, callee, delegation, hop, saga, time]
    const isWhole = parts.every((part) => typeof part === 'object' && part !== null)
    return isWhole && typeof action === 'string' && typeof direction === 'string' ? (value as KeptInput) : undefined
  } catch {
    return undefined
  }
}

/**
 * Makes the input of a decision again. What was not kept cannot be read: a rule that reads it fails, as it would have had
 * there been nothing.
 */
export function restoreInput(kept: KeptInput, body: { readonly value: unknown } | undefined): PolicyInput {
  const { objective, body: _digest, ...eager } = kept
  return {
    ...eager,
    objective() {
      if (!objective) throw new TypeError('the objective was not kept')
      return objective
    },
    body() {
      if (!body) throw new TypeError('the body was not kept')
      return body.value
    },
  }
}
