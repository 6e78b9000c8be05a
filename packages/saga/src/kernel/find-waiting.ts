import { findFrontier, visitFrontier } from './frontier.ts'
import { findHold } from './hold-code.ts'
import type { SagaState, StepState, Waiting, WaitState } from './saga-state.ts'

/** A saga waits when all that it could go on with waits. On its way back it is `undoing`, however long that takes. */
export function findWaiting(state: SagaState): Waiting | undefined {
  if (state.life.value !== 'running' && state.life.value !== 'waiting') return undefined
  if (state.behind !== undefined) return { for: 'another-saga', step: state.behind, code: 'saga.key-busy' }
  if (state.awaitsVersion) return { for: 'version', code: 'saga.version-unknown' }
  // Most often something goes on, and the first part that does ends the search.
  const doAllWait = visitFrontier(state, ({ kind, name }) =>
    kind === 'step' ? state.steps[name]?.notBeforeMs !== undefined : state.waits[name]?.snapshot.value === 'open',
  )
  if (!doAllWait) return undefined
  const { steps, waits } = findFrontier(state)
  if (steps.length + waits.length === 0) return undefined
  const all = [...waits.map(describeWait), ...steps.map(describeStep)]
  return all.reduce((left, right) => ((left.untilMs ?? Infinity) <= (right.untilMs ?? Infinity) ? left : right))
}

function describeWait({ plan, untilMs }: WaitState): Waiting {
  const goesOn = plan.for === 'time' || plan.onLapse === 'continue'
  return {
    for: plan.for,
    step: plan.name,
    ...(untilMs !== undefined && { untilMs, next: goesOn ? 'go-on' : 'undo' }),
  }
}

function describeStep(step: StepState): Waiting {
  const { code = '', notBeforeMs, approval } = step
  const isTriedAgain = ['failed', 'refused', 'declined'].includes(step.snapshot.value)
  return {
    for: findHold(code) ?? (isTriedAgain ? 'retry' : 'participant'),
    step: step.plan.name,
    code,
    ...(approval && { approval }),
    ...(notBeforeMs !== undefined && { untilMs: notBeforeMs, next: 'try-again' }),
  }
}
