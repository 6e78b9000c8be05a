import { assign, initialTransition, setup, transition, type AnyStateMachine } from 'xstate'

/** Where a step is. */
export type StepStatus =
  | 'planned'
  | 'executing'
  | 'committed'
  | 'declined'
  | 'refused'
  | 'failed'
  | 'unknown'
  | 'undoing'
  | 'undone'
  | 'stuck'
  | 'skipped'

/** What moves a step. */
export type StepMove =
  | { readonly type: 'intend' }
  | { readonly type: 'release' }
  | { readonly type: 'commit' }
  | { readonly type: 'decline' }
  | { readonly type: 'refuse' }
  | { readonly type: 'fail' }
  | { readonly type: 'lose' }
  | { readonly type: 'settle-declined' }
  | { readonly type: 'undo' }
  | { readonly type: 'undone' }
  | { readonly type: 'stall' }
  | { readonly type: 'skip' }

/** A step's state: its status, and whether an attempt was ever lost whose effect may still appear. */
export interface StepSnapshot {
  readonly value: StepStatus
  readonly context: { readonly unsettled: boolean }
}

const machine = setup({
  types: { context: {} as { unsettled: boolean }, events: {} as StepMove },
  guards: { settled: ({ context }) => !context.unsettled },
  actions: { markUnsettled: assign({ unsettled: true }), markSettled: assign({ unsettled: false }) },
}).createMachine({
  id: 'step',
  initial: 'planned',
  context: { unsettled: false },
  states: {
    planned: { on: { intend: 'executing', refuse: 'refused', fail: 'failed', stall: 'stuck', skip: 'skipped' } },
    executing: {
      on: {
        // A definite no settles the step only if no earlier attempt of its key may still appear (T48).
        release: [{ guard: 'settled', target: 'planned' }, { target: 'unknown' }],
        decline: [{ guard: 'settled', target: 'declined' }, { target: 'unknown' }],
        refuse: [{ guard: 'settled', target: 'refused' }, { target: 'unknown' }],
        fail: [{ guard: 'settled', target: 'failed' }, { target: 'unknown' }],
        commit: { target: 'committed', actions: 'markSettled' },
        lose: { target: 'unknown', actions: 'markUnsettled' },
      },
    },
    unknown: {
      on: {
        intend: 'executing',
        commit: { target: 'committed', actions: 'markSettled' },
        'settle-declined': { target: 'declined', actions: 'markSettled' },
        undo: 'undoing',
        undone: { target: 'undone', actions: 'markSettled' },
        stall: 'stuck',
      },
    },
    committed: { on: { undo: 'undoing', stall: 'stuck' } },
    declined: { on: { stall: 'stuck' } },
    refused: { on: { intend: 'executing', stall: 'stuck' } },
    failed: { on: { intend: 'executing', stall: 'stuck' } },
    undoing: { on: { undone: { target: 'undone', actions: 'markSettled' }, stall: 'stuck' } },
    undone: {},
    skipped: {},
    stuck: {},
  },
})

/** The machine of a step, for drawing and for walking its graph. */
export const stepMachine: AnyStateMachine = machine

const [planned] = initialTransition(machine)

/** The state of a step that nothing happened to. */
export const plannedStep: StepSnapshot = { value: planned.value, context: planned.context }

/** What the machine answered before: there are few questions, and a transition costs 10 µs. */
const answers = new Map<string, StepSnapshot>()

/** Moves a step. A move that its state does not know returns an equal snapshot. */
export function moveStep(snapshot: StepSnapshot, move: StepMove): StepSnapshot {
  const question = `${snapshot.value} ${snapshot.context.unsettled} ${move.type}`
  const known = answers.get(question)
  if (known) return known
  const [{ value, context }] = transition(machine, machine.resolveState(snapshot), move)
  const answer: StepSnapshot = Object.freeze({ value, context: Object.freeze(context) })
  answers.set(question, answer)
  return answer
}
