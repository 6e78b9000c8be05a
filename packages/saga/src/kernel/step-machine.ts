import { assign, initialTransition, setup, transition, type AnyStateMachine } from 'xstate'

/** Where a step is. */
export type StepStatus =
  | 'planned'
  | 'executing'
  | 'accepted'
  | 'committed'
  | 'declined'
  | 'refused'
  | 'failed'
  | 'unknown'
  | 'undoing'
  | 'undone'
  | 'stuck'
  | 'skipped'
  | 'waived'

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
  | { readonly type: 'accept' }
  | { readonly type: 'reopen' }
  | { readonly type: 'waive' }
  | { readonly type: 'settle-done' }
  | { readonly type: 'settle-undone' }

/** A step's state: its status, and whether an attempt was ever lost whose effect may still appear. */
export interface StepSnapshot {
  readonly value: StepStatus
  readonly context: { readonly unsettled: boolean }
}

/** How an attempt ends. A definite no settles the step only if no earlier attempt of its key may still appear (T48). */
const answered = {
  release: [{ guard: 'settled', target: 'planned' }, { target: 'unknown' }],
  decline: [{ guard: 'settled', target: 'declined' }, { target: 'unknown' }],
  refuse: [{ guard: 'settled', target: 'refused' }, { target: 'unknown' }],
  fail: [{ guard: 'settled', target: 'failed' }, { target: 'unknown' }],
  commit: { target: 'committed', actions: 'markSettled' },
  lose: { target: 'unknown', actions: 'markUnsettled' },
} as const

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
    executing: { on: { ...answered, accept: 'accepted' } },
    // Longer work: its participant renews a lease, and a lapsed one is `unknown`.
    accepted: { on: answered },
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
    // Asked again, it is another command.
    declined: { on: { intend: 'executing', stall: 'stuck' } },
    refused: { on: { intend: 'executing', stall: 'stuck' } },
    failed: { on: { intend: 'executing', stall: 'stuck' } },
    undoing: { on: { undone: { target: 'undone', actions: 'markSettled' }, stall: 'stuck' } },
    undone: {},
    skipped: {},
    // A human let the effect stand.
    waived: {},
    // Out of here only by a human's decision.
    stuck: {
      on: {
        reopen: { target: 'unknown', actions: 'markUnsettled' },
        waive: 'waived',
        'settle-done': { target: 'committed', actions: 'markSettled' },
        'settle-undone': { target: 'undone', actions: 'markSettled' },
      },
    },
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
