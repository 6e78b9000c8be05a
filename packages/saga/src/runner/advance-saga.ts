import type { PlanStep } from '../definition/plan.ts'
import { decideNext, type Decision } from '../kernel/decide-next.ts'
import { foldSaga } from '../kernel/fold-saga.ts'
import type { StepCall } from '../kernel/interpret-outcome.ts'
import type { SagaEvent } from '../kernel/saga-event.ts'
import type { SagaState } from '../kernel/saga-state.ts'
import { prepareCompletion, prepareStep, prepareWait, type Preparation } from './prepare-step.ts'

/** How far a saga could go without waiting for anybody: what to write, and then what to do. */
export interface Advance {
  readonly state: SagaState
  readonly events: readonly SagaEvent[]
  readonly calls: readonly StepCall[]
  readonly wakeAtMs?: number
}

/** What advancing needs to know of the world. */
export interface AdvanceOptions {
  readonly nowMs: number
  /** Steps that a call is under way for. */
  readonly busy: Pick<ReadonlySet<string>, 'has'>
  readonly prepare: (state: SagaState, plan?: PlanStep) => Preparation
}

/** Goes on from a state as far as possible without waiting for anybody. */
export function advanceSaga(from: SagaState, { nowMs, busy, prepare }: AdvanceOptions): Advance {
  const events: SagaEvent[] = []
  const calls: StepCall[] = []
  const called = new Set<string>()
  for (let state = from; ;) {
    const next = decideNext(state, nowMs)
    const decisions = next.now.filter(
      (one) => !awaitsCode(state, one) && (one.kind === 'end' || !(busy.has(one.step) || called.has(one.step))),
    )
    if (decisions.length === 0) {
      const { wakeAtMs } = next
      return { state, events, calls, ...(wakeAtMs !== undefined && { wakeAtMs }) }
    }
    for (const decision of decisions) {
      const { event, call } = realise(state, decision, prepare)
      if (call) {
        calls.push(call)
        called.add(call.step)
      }
      if (!event) continue
      events.push(event)
      state = foldSaga([event], state)
      // Every part can be decided about a few times at most before somebody has to answer.
      if (events.length > maxEventsAtOnce(state)) throw new TypeError(`deciding to ${decision.kind} changes nothing`)
      // What goes out to one step leaves what was decided about the others as it is; anything else may not.
      if (event.type !== 'intended' && event.type !== 'undo-intended') break
    }
  }
}

/** Turns a decision into what is written before it is acted on. */
function realise(
  state: SagaState,
  decision: Decision,
  prepare: AdvanceOptions['prepare'],
): { readonly event?: SagaEvent; readonly call?: StepCall } {
  if (decision.kind === 'end')
    return { event: decision.as === 'completed' ? prepareCompletion(prepare(state)) : { type: decision.as } }
  if (decision.kind === 'open-wait' || decision.kind === 'end-wait') {
    const wait = state.waits[decision.step]
    if (!wait) throw new TypeError(`decided about "${decision.step}", which the plan does not have`)
    if (decision.kind === 'open-wait') return { event: prepareWait(wait, prepare(state)) }
    return { event: { type: 'wait-ended', wait: decision.step, ...(decision.late && { late: true }) } }
  }
  if (decision.kind === 'turn') return { event: { type: 'turned', step: decision.step, code: decision.code } }
  const step = state.steps[decision.step]
  if (!step) throw new TypeError(`decided about "${decision.step}", which the plan does not have`)
  switch (decision.kind) {
    case 'send': {
      const event = prepareStep(step, prepare(state, step.plan))
      return event.type === 'intended'
        ? { event, call: { step: event.step, phase: 'do', attempt: event.attempt } }
        : { event }
    }
    case 'lookup':
      return { call: { step: decision.step, phase: 'lookup', attempt: step.attempt } }
    case 'close':
      return { call: { step: decision.step, phase: 'close', attempt: step.attempt } }
    case 'undo': {
      const attempt = step.undoAttempts + 1
      return {
        event: { type: 'undo-intended', step: decision.step, attempt, epoch: state.epoch },
        call: { step: decision.step, phase: 'undo', attempt },
      }
    }
    case 'stall':
      return { event: { type: 'stalled', step: decision.step, code: decision.code } }
  }
}

function maxEventsAtOnce(state: SagaState): number {
  return 10 + 10 * (Object.keys(state.steps).length + Object.keys(state.waits).length)
}

/** Only the definition's code can map an input, a time or an output; lookups, retries and undos go on without it. */
function awaitsCode(state: SagaState, decision: Decision): boolean {
  if (!state.awaitsVersion) return false
  if (decision.kind === 'end') return decision.as === 'completed'
  if (decision.kind === 'open-wait') return state.waits[decision.step]?.plan.withinMs === undefined
  return decision.kind === 'send' && state.steps[decision.step]?.key === undefined
}
