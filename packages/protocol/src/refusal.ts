import type { ErrorCode } from './error-codes.ts'

/** A decided no. It is a value: it is returned, recorded and answered, never thrown inside the mesh. */
export interface Refusal {
  readonly kind: 'deny'
  readonly code: ErrorCode
  /** For the own operator; across owners only the code travels. */
  readonly reason: string
  /** The policy rule that decided, as `document#rule`. */
  readonly rule?: string
  /** After how many milliseconds the same call may be tried again. */
  readonly retryAfterMs?: number
}

/** A check's answer: go on, or stop with a code. */
export type Verdict = { readonly kind: 'allow' } | Refusal

/** The one way to say yes without more to say. */
export const allowed: { readonly kind: 'allow' } = { kind: 'allow' }

/** Makes a refusal. */
export function refuse(code: ErrorCode, reason: string, more: { rule?: string; retryAfterMs?: number } = {}): Refusal {
  return { kind: 'deny', code, reason, ...more }
}
