/** What a saga says about the step that a command belongs to; signed with the envelope. */
export interface SagaCommand {
  /** The saga's id, unique under the orchestrator's name. */
  readonly id: string
  readonly step: string
  /** 1 for the first try. */
  readonly attempt: number
  /** The orchestrator's fencing epoch; participants refuse a lower one than they saw. */
  readonly epoch: number
  /** Idempotency key of the step, equal for all attempts, for lookup and for undo. */
  readonly key: string
  readonly phase: 'do' | 'undo' | 'lookup'
  /** When participants may forget the saga, in milliseconds since the Unix epoch. */
  readonly expiresAtMs: number
}
