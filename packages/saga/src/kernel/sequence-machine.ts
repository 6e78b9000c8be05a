import { assign, initialTransition, setup, transition, type AnyStateMachine } from 'xstate'

/** Where a sequence is: going forward, done, waiting for what is in flight, going back, or back at its start. */
export type SequenceStatus = 'forward' | 'complete' | 'turning' | 'backward' | 'unwound'

/** What moves a sequence. */
export type SequenceMove =
  | { readonly type: 'advance' }
  | { readonly type: 'turn' }
  | { readonly type: 'drained' }
  | { readonly type: 'retreat' }

/** A sequence's state: its status, and the index of the part that it is at. */
export interface SequenceSnapshot {
  readonly value: SequenceStatus
  readonly context: { readonly at: number; readonly size: number }
}

const machine = setup({
  types: {
    context: {} as { at: number; size: number },
    events: {} as SequenceMove,
  },
  guards: {
    atLast: ({ context }) => context.at >= context.size - 1,
    atFirst: ({ context }) => context.at <= 0,
  },
  actions: {
    stepOn: assign({ at: ({ context }) => context.at + 1 }),
    stepBack: assign({ at: ({ context }) => context.at - 1 }),
  },
}).createMachine({
  id: 'sequence',
  initial: 'forward',
  context: { at: 0, size: 1 },
  states: {
    forward: {
      on: { advance: [{ guard: 'atLast', target: 'complete' }, { actions: 'stepOn' }], turn: 'turning' },
    },
    complete: { on: { turn: 'turning' } },
    turning: { on: { drained: 'backward' } },
    backward: { on: { retreat: [{ guard: 'atFirst', target: 'unwound' }, { actions: 'stepBack' }] } },
    unwound: {},
  },
})

/** The machine of a sequence, for drawing and for walking its graph. */
export const sequenceMachine: AnyStateMachine = machine

const [first] = initialTransition(machine)

/** Begins a sequence of `size` parts, which is at least 1. */
export function beginSequence(size: number): SequenceSnapshot {
  return { value: first.value, context: { at: 0, size } }
}

/** What the machine answered before: as many questions as there are lengths and places in plans. */
const answers = new Map<string, SequenceSnapshot>()

/** Moves a sequence. A move that its state does not know returns an equal snapshot. */
export function moveSequence(snapshot: SequenceSnapshot, move: SequenceMove): SequenceSnapshot {
  const question = `${snapshot.value} ${snapshot.context.at} ${snapshot.context.size} ${move.type}`
  const known = answers.get(question)
  if (known) return known
  const [{ value, context }] = transition(machine, machine.resolveState(snapshot), move)
  const answer: SequenceSnapshot = Object.freeze({ value, context: Object.freeze(context) })
  answers.set(question, answer)
  return answer
}
