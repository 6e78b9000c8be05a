import { initialTransition, setup, transition, type AnyStateMachine } from 'xstate'

/** Where a saga is. `completed` and `compensated` are proven ends; `stuck` needs a human; `aborted` is one's last word. */
export type SagaStatus = 'running' | 'waiting' | 'undoing' | 'completed' | 'compensated' | 'stuck' | 'aborted'

/** What moves a saga. */
export type LifeMove =
  | { readonly type: 'wait' }
  | { readonly type: 'resume' }
  | { readonly type: 'turn' }
  | { readonly type: 'complete' }
  | { readonly type: 'compensate' }
  | { readonly type: 'stall' }
  | { readonly type: 'revive' }
  | { readonly type: 'abort' }

/** A saga's life as a snapshot. */
export interface LifeSnapshot {
  readonly value: SagaStatus
}

const machine = setup({ types: { events: {} as LifeMove } }).createMachine({
  id: 'life',
  initial: 'running',
  states: {
    running: { on: { wait: 'waiting', turn: 'undoing', complete: 'completed', stall: 'stuck', abort: 'aborted' } },
    waiting: { on: { resume: 'running', turn: 'undoing', stall: 'stuck', abort: 'aborted' } },
    undoing: { on: { compensate: 'compensated', stall: 'stuck', abort: 'aborted' } },
    completed: {},
    compensated: {},
    // What is on its way back turns again at once.
    stuck: { on: { revive: 'running', turn: 'undoing', abort: 'aborted' } },
    aborted: {},
  },
})

/** The machine of a saga's life, for drawing and for walking its graph. */
export const lifeMachine: AnyStateMachine = machine

const [running] = initialTransition(machine)

/** The life of a saga that was just started. */
export const runningLife: LifeSnapshot = { value: running.value }

/** What the machine answered before: there are few questions, and a transition costs 10 µs. */
const answers = new Map<string, LifeSnapshot>()

/** Moves a saga's life. A move that its state does not know returns an equal snapshot. */
export function moveLife(snapshot: LifeSnapshot, move: LifeMove): LifeSnapshot {
  const question = `${snapshot.value} ${move.type}`
  const known = answers.get(question)
  if (known) return known
  const [{ value }] = transition(machine, machine.resolveState({ value: snapshot.value, context: {} }), move)
  const answer: LifeSnapshot = Object.freeze({ value })
  answers.set(question, answer)
  return answer
}
