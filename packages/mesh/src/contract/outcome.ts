import { MeshError, type ErrorCode } from '@parley/protocol'
import type { AskedApproval } from '../approvals/approval-request.ts'
import type { HopReport } from '../node/hop-report.ts'

/** A declared error: its name and its typed details. */
export type DeclinedError<Declared> = {
  [Name in keyof Declared & string]: { readonly name: Name; readonly details: Declared[Name] }
}[keyof Declared & string]

interface Ended {
  /** What is known about the hop that led here. */
  readonly hop: HopReport
}

/** The handler did it. */
export interface OkOutcome<Output> extends Ended {
  readonly kind: 'ok'
  readonly output: Output
}

/** The handler decided not to, with an error that its contract declares. Nothing was done; nobody is to blame. */
export interface DeclinedOutcome<Declared> extends Ended {
  readonly kind: 'declined'
  readonly error: DeclinedError<Declared>
  readonly output?: undefined
}

/** The mesh decided not to, here (`hop.sent` is false) or at the callee. Nothing was done. */
export interface RefusedOutcome extends Ended {
  readonly kind: 'refused'
  readonly code: ErrorCode
  readonly reason: string
  readonly retryAfterMs?: number
  /** With `policy.approval-required`: the request that people can answer. */
  readonly approval?: AskedApproval
  readonly output?: undefined
}

/** The callee broke and says that nothing was done. */
export interface FailedOutcome extends Ended {
  readonly kind: 'failed'
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly output?: undefined
}

/** Nobody knows whether it was done. Only the same idempotency key may be sent again. */
export interface UnknownOutcome extends Ended {
  readonly kind: 'unknown'
  readonly code: ErrorCode
  /** After a cancel: whether the callee says that its handler has ended. Absent when it did not say. */
  readonly stopped?: boolean
  readonly output?: undefined
}

/** What a call can end in: the five outcomes of ARCHITECTURE.md. */
export type Outcome<Output = unknown, Declared = Readonly<Record<string, unknown>>> =
  | OkOutcome<Output>
  | DeclinedOutcome<Declared>
  | RefusedOutcome
  | FailedOutcome
  | UnknownOutcome

/** An outcome without its hop, as it travels inside the mesh before the hop is reported. */
export type BareOutcome =
  | { readonly kind: 'ok'; readonly output: unknown }
  | { readonly kind: 'declined'; readonly error: { readonly name: string; readonly details: unknown } }
  | {
      readonly kind: 'refused'
      readonly code: ErrorCode
      readonly reason: string
      readonly retryAfterMs?: number
      readonly approval?: AskedApproval
    }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly retryable: boolean }
  | { readonly kind: 'unknown'; readonly code: ErrorCode; readonly stopped?: boolean }

type NotOk = DeclinedOutcome<Readonly<Record<string, unknown>>> | RefusedOutcome | FailedOutcome | UnknownOutcome

/** Tells the code of an outcome, or the name of the declared error; undefined for `ok`. */
export function codeOf(outcome: BareOutcome): string | undefined {
  if (outcome.kind === 'ok') return undefined
  return outcome.kind === 'declined' ? outcome.error.name : outcome.code
}

/** What `call` throws for every outcome but `ok`: code `mesh.call-failed`, with the whole outcome. */
export class CallError extends MeshError {
  readonly outcome: NotOk

  constructor(capability: string, outcome: NotOk) {
    const code = outcome.kind === 'declined' ? outcome.error.name : outcome.code
    super('mesh.call-failed', `${capability} ended ${outcome.kind}: ${code} (hop ${outcome.hop.id})`, {
      details: {
        kind: outcome.kind,
        code,
        hop: outcome.hop.id,
        ...(outcome.kind === 'refused' ? { reason: outcome.reason } : {}),
      },
    })
    this.name = 'CallError'
    this.outcome = outcome
  }
}
