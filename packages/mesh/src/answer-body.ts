import { errorCodes, type ErrorCode } from '@parley/protocol'
import type { BareOutcome } from './outcome.ts'

/** The body of a reply or refusal: an outcome, and the callee's audit record of the hop. */
export interface AnswerBody {
  readonly outcome: BareOutcome
  readonly record?: number
}

/** Encodes a reply's body as JSON. */
export function encodeAnswerBody({ outcome, record }: AnswerBody): Uint8Array {
  return joinAnswerBody(formatOutcome(outcome), record)
}

/**
 * Writes an outcome as JSON. Of a refusal only the code and the waiting time cross the wire. Throws for an output that has
 * no JSON form.
 */
export function formatOutcome(outcome: BareOutcome): string {
  return JSON.stringify(outcome.kind === 'refused' ? { ...outcome, reason: '' } : outcome)
}

/** Makes the body of an outcome that is written already. */
export function joinAnswerBody(outcome: string, record: number | undefined): Uint8Array {
  return new TextEncoder().encode(`{"outcome":${outcome}${record === undefined ? '' : `,"record":${String(record)}`}}`)
}

/** Decodes a reply's body; undefined if it is not one, which leaves the outcome unknown. */
export function decodeAnswerBody(body: Uint8Array): AnswerBody | undefined {
  let value: { outcome?: Partial<Record<string, unknown>> | null; record?: unknown } | null
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as typeof value
  } catch {
    return undefined
  }
  if (typeof value?.outcome !== 'object' || value.outcome === null) return undefined
  const outcome = readOutcome(value.outcome)
  if (!outcome) return undefined
  return Number.isSafeInteger(value.record) ? { outcome, record: value.record as number } : { outcome }
}

function readOutcome(told: Partial<Record<string, unknown>>): BareOutcome | undefined {
  const code =
    typeof told['code'] === 'string' && Object.hasOwn(errorCodes, told['code'])
      ? (told['code'] as ErrorCode)
      : undefined
  switch (told['kind']) {
    case 'ok':
      return { kind: 'ok', output: told['output'] }
    case 'declined': {
      const error = told['error'] as { name?: unknown; details?: unknown } | null | undefined
      if (typeof error?.name !== 'string') return undefined
      return { kind: 'declined', error: { name: error.name, details: error.details } }
    }
    case 'refused': {
      if (!code) return undefined
      const wait = told['retryAfterMs']
      const reason = 'it tells no more than the code'
      return { kind: 'refused', code, reason, ...(typeof wait === 'number' && wait >= 0 ? { retryAfterMs: wait } : {}) }
    }
    case 'failed':
      return code ? { kind: 'failed', code, retryable: told['retryable'] === true } : undefined
    case 'unknown':
      return code ? { kind: 'unknown', code } : undefined
    default:
      return undefined
  }
}
