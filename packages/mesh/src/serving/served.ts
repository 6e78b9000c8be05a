import type { ContractCapability } from '../contract/contract.ts'
import type { Hop, HandlerRefusal, Declined, NothingDone } from './hop.ts'
import type { UndoableServe } from './serve.ts'

/** A capability of this node with what serves it, its types erased: schemas have checked what the types promise. */
export interface Served {
  readonly contract: ContractCapability
  readonly serve: UndoableServe<unknown, unknown, Readonly<Record<string, unknown>>>
}

/** What a handler said besides its output. */
export type HandlerMark = Declined | NothingDone | HandlerRefusal

const marks = new WeakSet<HandlerMark>()

/** Marks a value as said by `hop.decline`, `hop.fail` or `hop.refuse`, so that no output can pass for one. */
export function markResult<Mark extends HandlerMark>(mark: Mark): Mark {
  marks.add(mark)
  return mark
}

/** Tells whether a handler's return value is a mark and not its output. */
export function isHandlerMark(value: unknown): value is HandlerMark {
  return typeof value === 'object' && value !== null && marks.has(value as HandlerMark)
}

/** The hop that a handler sees, its types erased. */
export type ServedHop = Hop
