import { errorCodes, type ErrorCode } from './error-codes.ts'

/** JSON-safe facts about a failure. Never a key, a token or a body. */
export type ErrorDetails = Readonly<Record<string, unknown>>

const brand = Symbol.for('parley.MeshError')

/** Says that something broke, with a stable code. A decided no is a `Refusal`, which is a value. */
export class MeshError extends Error {
  readonly code: ErrorCode
  /** Whether the same operation may succeed later without a change. */
  readonly retryable: boolean
  readonly details: ErrorDetails
  /** What the reader can do about it. */
  readonly todo: string

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'MeshError'
    this.code = code
    this.retryable = errorCodes[code].retryable
    this.todo = errorCodes[code].todo
    this.details = options.details ?? {}
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Tells whether `error` is a `MeshError`, also when it was made by another copy of this package. */
export function isMeshError(error: unknown): error is MeshError {
  return typeof error === 'object' && error !== null && brand in error
}
