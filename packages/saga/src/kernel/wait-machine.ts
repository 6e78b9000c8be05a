import { initialTransition, setup, transition, type AnyStateMachine } from 'xstate'

/** Where a wait is. `signalled` came before the saga did; `lapsed` takes the saga back. */
export type WaitStatus = 'planned' | 'signalled' | 'open' | 'met' | 'lapsed'

/** What moves a wait. */
export type WaitMove =
  | { readonly type: 'open' }
  | { readonly type: 'signal' }
  | { readonly type: 'meet' }
  | { readonly type: 'lapse' }

/** A wait's state. */
export interface WaitSnapshot {
  readonly value: WaitStatus
}

const machine = setup({ types: { events: {} as WaitMove } }).createMachine({
  id: 'wait',
  initial: 'planned',
  states: {
    planned: { on: { open: 'open', signal: 'signalled' } },
    signalled: { on: { open: 'met' } },
    open: { on: { open: 'open', signal: 'met', meet: 'met', lapse: 'lapsed' } },
    met: {},
    lapsed: {},
  },
})

/** The machine of a wait, for drawing and for walking its graph. */
export const waitMachine: AnyStateMachine = machine

const [planned] = initialTransition(machine)

/** The state of a wait that the saga did not come to. */
export const plannedWait: WaitSnapshot = { value: planned.value }

/** Moves a wait. A move that its state does not know returns an equal snapshot. */
export function moveWait(snapshot: WaitSnapshot, move: WaitMove): WaitSnapshot {
  const [{ value }] = transition(machine, machine.resolveState({ value: snapshot.value, context: {} }), move)
  return { value }
}
