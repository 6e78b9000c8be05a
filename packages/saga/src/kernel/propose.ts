import { refuse, type Refusal } from '@parley/protocol'
import type { DecidedEvent, SagaEvent } from './saga-event.ts'
import { isEnded, isOver, isPastPivot, type SagaState, type StepState } from './saga-state.ts'

/**
 * What somebody besides the driver wants to add to a saga: the events, none if it is so already, or why not. Decided on the
 * state at whose end the events are appended, whoever appends them.
 */
export type Proposal = (state: SagaState) => readonly SagaEvent[] | Refusal

/** Proposes the way back. Refused with `saga.cancel-refused` once the saga ended or sent its pivot. */
export function proposeCancel(reason: string): Proposal {
  return (state) => {
    const problem = findCancelProblem(state)
    if (problem !== undefined) return refuse('saga.cancel-refused', `the saga "${state.started.id}" ${problem}`)
    return state.turned ? [] : [{ type: 'turned', code: 'saga.cancelled', reason }]
  }
}

/** Proposes a signal. Refused with `saga.signal-refused` where no wait of that name can take it; a second one is the same. */
export function proposeSignal(name: string, value: unknown, by?: string): Proposal {
  return (state) => {
    const no = (problem: string): Refusal =>
      refuse('saga.signal-refused', `the saga "${state.started.id}" takes no signal "${name}": ${problem}`)
    const wait = state.waits[name]
    if (wait?.plan.for !== 'signal') return no('it has no such wait')
    if (isEnded(state) || state.turned) return no(`it is ${state.life.value}`)
    const { value: status } = wait.snapshot
    if (status === 'lapsed' || (status === 'met' && wait.value === undefined)) return no('its time is over')
    if (status === 'met' || status === 'signalled') return []
    return [{ type: 'signalled', wait: name, value, ...(by !== undefined && { by }) }]
  }
}

/** Proposes another chain to act under. Refused with `saga.signal-refused` once the saga ended. */
export function proposeAuthority(delegation: readonly string[]): Proposal {
  return (state) =>
    isEnded(state)
      ? refuse('saga.signal-refused', `the saga "${state.started.id}" is ${state.life.value}`)
      : [{ type: 'authorised', delegation }]
}

/** Proposes what a human decided. Refused with `saga.decision-refused` where the saga gives nothing to decide so. */
export function proposeDecision(decided: DecidedEvent): Proposal {
  return (state) => {
    const problem = findDecisionProblem(state, decided)
    return problem === undefined
      ? [decided]
      : refuse('saga.decision-refused', `the saga "${state.started.id}" ${problem}`)
  }
}

/** Holds what a person decided to sagas of this owner: after a change of owner, who may decide now has no say about those before. */
export function holdToOwner(owner: string, propose: Proposal): Proposal {
  return (state) => {
    const proposed = propose(state)
    const isDecided = !('kind' in proposed) && proposed.some(({ type }) => type === 'decided')
    if (!isDecided || state.started.owner === owner) return proposed
    const problem = `the saga "${state.started.id}" is of ${state.started.owner}, not of ${owner}`
    return refuse('saga.owner-changed', `${problem}: decide in its store, as a person of its owner`)
  }
}

function findCancelProblem(state: SagaState): string | undefined {
  if (isEnded(state)) return `has ended ${state.life.value}`
  const pivot = Object.values(state.steps).find((step) => step.plan.pivot)
  if (!pivot || ['planned', 'skipped'].includes(pivot.snapshot.value) || state.turned) return undefined
  return `has sent its pivot "${pivot.plan.name}": it only goes forward`
}

function describeStatus({ turned }: SagaState, { snapshot: { value } }: StepState): string {
  return turned && value === 'unknown' ? 'waits for its undo' : `is ${value}`
}

function findDecisionProblem(
  state: SagaState,
  { decision, about = '', fact, declaration }: DecidedEvent,
): string | undefined {
  if (isOver(state)) return `has ended ${state.life.value}`
  if (state.heard.includes(declaration)) return 'heard this declaration before: sign another one'
  if (decision === 'abort') return undefined
  if (decision === 'cancel') return findCancelProblem(state) ?? (state.turned && 'is on its way back already')
  const step = state.steps[about]
  if (!step) return `has no step "${about}"`
  if (step.snapshot.value !== 'stuck') return `is not stuck at "${about}", which ${describeStatus(state, step)}`
  if (decision === 'skip' && !state.turned)
    return `is on its way forward: resolve the step "${about}" as what it is, or abort`
  if (decision === 'resolve' && fact === undefined) return `needs to know what became of "${about}"`
  if (fact === 'committed' && state.turned) return `is on its way back: retry the undo of "${about}", or skip it`
  if (fact === 'undone' && isPastPivot(state)) return 'is past its pivot: it only goes forward'
  return undefined
}
