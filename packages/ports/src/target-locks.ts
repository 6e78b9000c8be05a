import type { InboxCommand } from './inbox.ts'

/** What a lock says to a command that wants its target. */
export type LockVerdict =
  /** The command's saga has it now, until the time that was asked for; or had it, and keeps it at least so long. */
  | { readonly kind: 'taken' }
  /** Another saga has it, until this time at the latest, in milliseconds since the Unix epoch. */
  | { readonly kind: 'held'; readonly untilMs: number }

/** How long a lock holds: both in milliseconds since the Unix epoch. */
export interface LockSpan {
  readonly nowMs: number
  readonly untilMs: number
}

/**
 * Semantic locks: targets (a seat, an account) that a saga keeps from other sagas at one participant until it is over. The
 * functions run inside the transaction of the effect, so that lock and effect are durable together or not at all. A lock
 * belongs to a key of a saga; keys of one saga share a target, which is free once the last of them gave it back.
 */
export interface TargetLocks<Tx> {
  take(tx: Tx, command: InboxCommand, target: string, span: LockSpan): LockVerdict | Promise<LockVerdict>
  /** Gives back what the command's key took. */
  release(tx: Tx, command: InboxCommand): void | Promise<void>
  /** Gives back what any key of the command's saga took. */
  releaseSaga(tx: Tx, command: InboxCommand): void | Promise<void>
}
