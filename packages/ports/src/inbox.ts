/** Names one command of one saga step, as the participant must remember it. */
export interface InboxCommand {
  /** Owner DID and name of the orchestrator, and its saga id: nobody can speak for another's saga. */
  readonly owner: string
  readonly name: string
  readonly saga: string
  /** Idempotency key of the step; equal for every attempt, for its lookup and for its undo. */
  readonly key: string
  readonly capability: string
  /** The orchestrator's fencing epoch: the highest seen for the saga wins. */
  readonly epoch: number
  /** When the participant may forget, in milliseconds since the Unix epoch. */
  readonly expiresAtMs: number
}

/** What is remembered of a command. `output` and `error` are JSON texts as they were answered. */
export type InboxOutcome =
  | { readonly kind: 'ok'; readonly output: string }
  | { readonly kind: 'declined'; readonly error: string }

/** What the inbox says before anything is done. */
export type InboxVerdict =
  /** Nothing is known of this key: do it, then `settle` in the same transaction. */
  | { readonly kind: 'new' }
  /** Done before: answer the same again and do nothing. */
  | { readonly kind: 'known'; readonly outcome: InboxOutcome }
  /** Undone before, or the undo came first: never do it. */
  | { readonly kind: 'tombstone' }
  /** A higher epoch was seen: the sender is no longer the saga's owner. */
  | { readonly kind: 'stale-epoch'; readonly epoch: number }
  /** The saga said that it is over: nothing more is done, undone or told for it. */
  | { readonly kind: 'closed' }
  /** Begun before, and nobody knows how it ended. Only of an inbox whose effects are outside of its transactions. */
  | { readonly kind: 'in-doubt' }

/** What the inbox says of an undo. */
export type UndoVerdict =
  /** The forward command was done and not undone: undo it; the tombstone is already written in this transaction. */
  | { readonly kind: 'undo'; readonly outcome: InboxOutcome & { readonly kind: 'ok' } }
  /** There is nothing to undo (never came, declined, or undone before): the tombstone keeps it so. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'stale-epoch'; readonly epoch: number }
  | { readonly kind: 'closed' }
  /** Begun, and nobody knows how it ended: undo by the key alone. Only of an inbox whose effects are outside. */
  | { readonly kind: 'in-doubt' }

/** What the inbox says of the end of a saga. */
export type CloseVerdict = { readonly kind: 'closed' } | { readonly kind: 'stale-epoch'; readonly epoch: number }

/**
 * A participant's memory of commands. Its functions run inside a transaction `tx` that the participant opened, so
 * that memory and effect are durable together or not at all. `Tx` is the engine's own handle. A key that another
 * capability did is refused with `saga.command-invalid`: only the one that did it can tell of it and take it back.
 */
export interface Inbox<Tx> {
  /** Asks what to do with a forward command, and raises the saga's epoch. */
  begin(tx: Tx, command: InboxCommand): InboxVerdict | Promise<InboxVerdict>
  /** Remembers the outcome of a forward command that `begin` called new. */
  settle(tx: Tx, command: InboxCommand, outcome: InboxOutcome): void | Promise<void>
  /** Leaves a tombstone for the key and says whether there is an effect to undo. */
  undo(tx: Tx, command: InboxCommand): UndoVerdict | Promise<UndoVerdict>
  /** Answers what became of a key without changing anything but the epoch; `new` means it was never done. */
  lookup(tx: Tx, command: InboxCommand): InboxVerdict | Promise<InboxVerdict>
  /**
   * Forgets the keys of the command's saga, which is over, and remembers until its expiry that it is: what comes late is
   * `closed` instead of new.
   */
  close(tx: Tx, command: InboxCommand): CloseVerdict | Promise<CloseVerdict>
}
