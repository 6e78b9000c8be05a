import type { ContractCapability, Hop, LookupAnswer, ServeFunction, UndoableServe } from '@parley/mesh'
import type { Clock, Inbox, TargetLocks } from '@parley/ports'

/** What a participant needs of its database. */
export interface ParticipantOptions<Tx> {
  readonly inbox: Inbox<Tx>
  /**
   * Runs its argument in a transaction: commits when it resolves; rolls back and rejects with the same error when it
   * rejects; rejects with `store.unavailable` where nothing could begin. Transactions that share a connection must run one
   * after the other, as those of `withTransaction` do.
   */
  readonly transaction: <T>(run: (tx: Tx) => T | Promise<T>) => Promise<T>
  readonly clock: Clock
  /** Semantic locks in the same database; needed by whatever is served with a `lock`. */
  readonly locks?: TargetLocks<Tx>
  /**
   * `inside` (default): effects go through `tx`, so that a throw undoes them. `outside`: they are elsewhere, as with the inbox
   * of a participant without a database; a throw then leaves it unknown what was done.
   */
  readonly effects?: 'inside' | 'outside'
}

/** What became of something that was begun outside, as whoever it was done at says. */
export type FoundOutside = Exclude<LookupAnswer, { readonly found: 'tombstone' }>

/** What serves one capability inside the participant's transaction. `Doubt` is `undefined` where effects are outside. */
export interface TransactionalServe<Tx, Input, Result, Declared, Doubt = never> {
  /** Does it, through `tx` only: a throw, a `hop.fail()` and a `hop.refuse()` roll everything back. */
  readonly do: (
    tx: Tx,
    ...served: Parameters<ServeFunction<Input, Result, Declared>>
  ) => ReturnType<ServeFunction<Input, Result, Declared>>
  /**
   * Takes back what `do` answered with `output`. Not called when there is nothing to take back. Where `output` is
   * undefined (effects outside only) nobody knows whether it was done: by the key alone it is taken back, and kept from happening later.
   */
  readonly undo?: (
    tx: Tx,
    done: { readonly output: Result | Doubt },
    hop: Hop,
  ) => ReturnType<NonNullable<UndoableServe<Input, Result, Declared>['undo']>>
  /** Names the target that `do` keeps from other sagas until its saga is over, if there is one; a target that another one has is `saga.locked`. */
  readonly lock?: (input: Input) => string | undefined
  /** How long a lock holds at most, in milliseconds; by default until the saga's expiry. */
  readonly lockMs?: number
  /**
   * For effects outside: finds by the key in `hop.saga` what became of a command whose process died. `absent` says that it
   * neither was done nor can be any more; undefined, that nobody knows.
   */
  readonly find?: (
    hop: Pick<Hop, 'id' | 'capability' | 'caller' | 'saga' | 'signal'>,
  ) => FoundOutside | undefined | Promise<FoundOutside | undefined>
}

/** Makes handlers whose effects happen at most once and can be taken back. `Doubt` is `undefined` where effects are outside. */
export interface Participant<Tx, Doubt = never> {
  /**
   * Turns functions over a transaction into what `node.serve` takes. Calls without a saga run in a transaction, too, without
   * the inbox. Throws `contract.invalid` when the contract promises an undo and there is none, or a lock is asked for and there
   * are none.
   */
  serve<Input, Output, Declared, Result>(
    capability: ContractCapability<Input, Output, Declared, Result>,
    serves: TransactionalServe<Tx, Input, Result, Declared, Doubt>,
  ): UndoableServe<Input, Result, Declared>
}
