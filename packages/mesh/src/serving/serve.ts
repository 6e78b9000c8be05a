import type { Contract, ContractCapability } from '../contract/contract.ts'
import type { Declined, HandlerRefusal, Hop, NothingDone } from './hop.ts'

/** What a handler may return besides its output. */
export type HandlerReturn<Result, Declared> = Result | Declined<Declared> | NothingDone | HandlerRefusal

/** Serves one capability. A throw means `unknown` (for risk `read`: `failed`); its message never crosses the wire. */
export type ServeFunction<Input, Result, Declared, Progress = undefined> = (
  input: Input,
  hop: Hop<Declared, Progress>,
) => HandlerReturn<Result, Declared> | Promise<HandlerReturn<Result, Declared>>

/** What is known of a step by its idempotency key. `absent` means that it was never done. */
export type LookupAnswer =
  | { readonly found: 'ok'; readonly output: unknown }
  | { readonly found: 'declined'; readonly error: { readonly name: string; readonly details: unknown } }
  | { readonly found: 'tombstone' }
  | { readonly found: 'absent' }

/** What an undo is told: the saga's command is in `hop.saga`; the output only if the orchestrator knows it. */
export interface UndoInput {
  readonly output?: unknown
}

/** Serves a capability together with the ways back that sagas need. */
export interface UndoableServe<Input, Result, Declared, Progress = undefined> {
  readonly do: ServeFunction<Input, Result, Declared, Progress>
  /** Takes the effect back, given the key in `hop.saga` alone. Undoing what never happened keeps it from happening. */
  readonly undo?: (
    input: UndoInput,
    hop: Hop,
  ) =>
    | HandlerReturn<void, Readonly<Record<string, unknown>>>
    | Promise<HandlerReturn<void, Readonly<Record<string, unknown>>>>
  /** Says what became of the key in `hop.saga`. */
  readonly lookup?: (
    hop: Hop,
  ) => LookupAnswer | NothingDone | HandlerRefusal | Promise<LookupAnswer | NothingDone | HandlerRefusal>
  /** Hears that the saga in `hop.saga` is over: what was kept for it may go, and nothing more is done for it. */
  readonly close?: (
    hop: Hop,
  ) => undefined | NothingDone | HandlerRefusal | Promise<undefined | NothingDone | HandlerRefusal>
}

/**
 * Serves a capability that streams: yields the parts and returns the output. Waits at a `yield` while the caller has no
 * room, and ends there when the caller leaves.
 */
export type StreamServeFunction<Input, Part, Result, Declared, Progress> = (
  input: Input,
  hop: Hop<Declared, Progress>,
) => AsyncGenerator<Part, HandlerReturn<Result, Declared>, undefined>

type InputOf<C> =
  C extends ContractCapability<infer _I, infer _O, infer _D, infer _R, infer _P, infer _G>
    ? NonNullable<C['types']>['input']
    : never
type ResultOf<C> =
  C extends ContractCapability<infer _I, infer _O, infer _D, infer _R, infer _P, infer _G>
    ? NonNullable<C['types']>['result']
    : never
type DeclaredOf<C> =
  C extends ContractCapability<infer _I, infer _O, infer _D, infer _R, infer _P, infer _G>
    ? NonNullable<C['types']>['declared']
    : never

type PartOf<C> =
  C extends ContractCapability<infer _I, infer _O, infer _D, infer _R, infer _P, infer _G>
    ? NonNullable<C['types']>['part']
    : never
type ProgressOf<C> =
  C extends ContractCapability<infer _I, infer _O, infer _D, infer _R, infer _P, infer _G>
    ? NonNullable<C['types']>['progress']
    : never

/** What serves one capability of a contract: a generator where it streams, else a function, or one with undo and lookup. */
export type Serve<C extends ContractCapability> = [PartOf<C>] extends [undefined]
  ?
      | ServeFunction<InputOf<C>, ResultOf<C>, DeclaredOf<C>, ProgressOf<C>>
      | UndoableServe<InputOf<C>, ResultOf<C>, DeclaredOf<C>, ProgressOf<C>>
  : StreamServeFunction<InputOf<C>, PartOf<C>, ResultOf<C>, DeclaredOf<C>, ProgressOf<C>>

/** One entry for each capability of the contract. */
export type Serves<C extends Contract> = {
  readonly [
    Operation in Exclude<keyof C, 'name' | 'version' | 'capabilities' | 'events'> & string
  ]: C[Operation] extends ContractCapability ? Serve<C[Operation]> : never
}
