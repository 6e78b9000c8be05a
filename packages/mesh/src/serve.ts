import type { Contract, ContractCapability } from './contract.ts'
import type { Declined, HandlerRefusal, Hop, NothingDone } from './hop.ts'

/** What a handler may return besides its output. */
export type HandlerReturn<Result, Declared> = Result | Declined<Declared> | NothingDone | HandlerRefusal

/** Serves one capability. A throw means `unknown` (for risk `read`: `failed`); its message never crosses the wire. */
export type ServeFunction<Input, Result, Declared> = (
  input: Input,
  hop: Hop<Declared>,
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
export interface UndoableServe<Input, Result, Declared> {
  readonly do: ServeFunction<Input, Result, Declared>
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
}

type InputOf<C> =
  C extends ContractCapability<infer _I, infer _O, infer _D, infer _R> ? NonNullable<C['types']>['input'] : never
type ResultOf<C> =
  C extends ContractCapability<infer _I, infer _O, infer _D, infer _R> ? NonNullable<C['types']>['result'] : never
type DeclaredOf<C> =
  C extends ContractCapability<infer _I, infer _O, infer _D, infer _R> ? NonNullable<C['types']>['declared'] : never

/** What serves one capability of a contract: a function, or a function with its undo and lookup. */
export type Serve<C extends ContractCapability> =
  | ServeFunction<InputOf<C>, ResultOf<C>, DeclaredOf<C>>
  | UndoableServe<InputOf<C>, ResultOf<C>, DeclaredOf<C>>

/** One entry for each capability of the contract. */
export type Serves<C extends Contract> = {
  readonly [
    Operation in Exclude<keyof C, 'name' | 'version' | 'capabilities'> & string
  ]: C[Operation] extends ContractCapability ? Serve<C[Operation]> : never
}
