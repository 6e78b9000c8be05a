import { errorCodes, type ErrorCode } from '@parley/protocol'
import type { AskedApproval } from '../approvals/approval-request.ts'
import type { BareOutcome } from '../contract/outcome.ts'
import type { PartTally } from '../stream/part-tally.ts'

/** The body of a reply or refusal: an outcome, and the callee's audit record of the hop. */
export interface AnswerBody {
  readonly outcome: BareOutcome
  readonly record?: number
  /** At the end of a stream: what was sent. */
  readonly parts?: PartTally
}

/** Encodes a reply's body as JSON. */
export function encodeAnswerBody({ outcome, record, parts }: AnswerBody): Uint8Array {
  return joinAnswerBody(formatOutcome(outcome), record, parts)
}

/**
 * Writes an outcome as JSON. Of a refusal only the code, the waiting time and the request for an approval cross the wire. Throws for an output that has
 * no JSON form.
 */
export function formatOutcome(outcome: BareOutcome): string {
  return JSON.stringify(outcome.kind === 'refused' ? { ...outcome, reason: '' } : outcome)
}

/** Makes the body of an outcome that is written already. */
export function joinAnswerBody(outcome: string, record: number | undefined, parts?: PartTally): Uint8Array {
  const more = JSON.stringify({ record, parts }).slice(1)
  return Buffer.from(`{"outcome":${outcome}${more === '}' ? more : `,${more}`}`)
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Decodes a reply's body; undefined if it is not one, which leaves the outcome unknown. */
export function decodeAnswerBody(body: Uint8Array): AnswerBody | undefined {
  let value: { outcome?: Partial<Record<string, unknown>> | null; record?: unknown; parts?: unknown } | null
  try {
    value = JSON.parse(utf8.decode(body)) as typeof value
  } catch {
    return undefined
  }
  if (typeof value?.outcome !== 'object' || value.outcome === null) return undefined
  const outcome = readOutcome(value.outcome)
  if (!outcome) return undefined
  const parts = readTally(value.parts)
  return {
    outcome,
    ...(Number.isSafeInteger(value.record) ? { record: value.record as number } : {}),
    ...(parts ? { parts } : {}),
  }
}

function readTally(told: unknown): PartTally | undefined {
  if (typeof told !== 'object' || told === null) return undefined
  const { count, hash } = told as Partial<Record<keyof PartTally, unknown>>
  return Number.isSafeInteger(count) && typeof hash === 'string' ? { count: count as number, hash } : undefined
}

function readApproval(told: unknown): AskedApproval | undefined {
  if (typeof told !== 'object' || told === null) return undefined
  const { id, digest } = told as Partial<Record<keyof AskedApproval, unknown>>
  return typeof id === 'string' && typeof digest === 'string' ? { id, digest } : undefined
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
      const reason = 'the callee tells no more than the code; `parley why` of this hop, on its store, says why'
      const approval = readApproval(told['approval'])
      return {
        kind: 'refused',
        code,
        reason,
        ...(typeof wait === 'number' && wait >= 0 ? { retryAfterMs: wait } : {}),
        ...(approval ? { approval } : {}),
      }
    }
    case 'failed':
      return code ? { kind: 'failed', code, retryable: told['retryable'] === true } : undefined
    case 'unknown':
      if (!code) return undefined
      return {
        kind: 'unknown',
        code,
        ...(typeof told['stopped'] === 'boolean' ? { stopped: told['stopped'] } : {}),
      }
    default:
      return undefined
  }
}
