import { MeshError } from '@parley/protocol'
import { moveLife } from './life-machine.ts'
import type { DecidedEvent } from './saga-event.ts'
import type { SagaState, StepState } from './saga-state.ts'
import { moveStep, type StepMove } from './step-machine.ts'

/** Applies what a human decided. Throws `saga.journal-corrupt` for a step that the plan does not have. */
export function applyDecision(state: SagaState, event: DecidedEvent): SagaState {
  switch (event.decision) {
    case 'abort':
      return { ...state, life: moveLife(state.life, { type: 'abort' }) }
    case 'cancel':
      if (state.turned) return state
      return {
        ...state,
        life: moveLife(state.life, { type: 'turn' }),
        awaitsVersion: false,
        turned: { code: 'saga.cancelled', reason: event.reason },
      }
    case 'retry':
    case 'skip':
    case 'resolve': {
      const step = state.steps[event.about ?? '']
      if (!step) throw new MeshError('saga.journal-corrupt', `the plan has no step "${event.about ?? ''}"`)
      const revived = moveLife(state.life, { type: 'revive' })
      return {
        ...state,
        life: state.turned ? moveLife(revived, { type: 'turn' }) : revived,
        steps: { ...state.steps, [step.plan.name]: decideStep(step, event, state.turned !== undefined) },
      }
    }
  }
}

/** What was tried before a human decided counts no more. */
function decideStep(step: StepState, event: DecidedEvent, turned: boolean): StepState {
  const moved = (type: StepMove['type']): StepState => {
    const { found: _found, notBeforeMs: _due, ...rest } = step
    const snapshot = moveStep(step.snapshot, { type })
    return { ...rest, snapshot, attempts: 0, undoAttempts: 0, deferrals: 0, hopeless: false, skipped: [] }
  }
  if (event.decision === 'retry') return moved('reopen')
  if (event.decision === 'skip') return moved('waive')
  if (event.fact === 'committed') return { ...moved('settle-done'), ...('output' in event && { output: event.output }) }
  // What was not done is sent again on the way forward, under the same key.
  return event.fact === 'not-done' && !turned ? { ...moved('reopen'), found: 'absent' } : moved('settle-undone')
}
