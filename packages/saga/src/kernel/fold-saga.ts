import { MeshError } from '@parley/protocol'
import { listPlanSteps, listPlanWaits } from '../definition/plan.ts'
import { applyDecision } from './apply-decision.ts'
import { findWaiting } from './find-waiting.ts'
import { moveLife, runningLife, type LifeMove } from './life-machine.ts'
import type { LifeEvent, OwnedEvent, SagaEvent, SealedEvent, StartedEvent, StepEvent, WaitEvent } from './saga-event.ts'
import type { SagaState, StepState, WaitState } from './saga-state.ts'
import { unsealSaga } from './seal-saga.ts'
import { isInFlight, settleTree } from './settle-tree.ts'
import { moveStep, plannedStep, type StepMove } from './step-machine.ts'
import { moveWait, plannedWait } from './wait-machine.ts'

/**
 * Folds events into a saga's state, from the beginning or on top of `from`. Pure: the same events give the same state in
 * any process. An event that its state does not allow changes nothing. Throws `saga.journal-corrupt` when the first event
 * is not `started`, or an event names a step that the plan does not have.
 */
export function foldSaga(events: readonly SagaEvent[], from?: SagaState): SagaState {
  let state = from
  for (const event of events) {
    if (event.type === 'sealed') state ??= unsealSaga(event)
    else if (event.type === 'started') {
      if (state) throw new MeshError('saga.journal-corrupt', `the saga "${event.id}" is started twice`)
      state = settle(begin(event))
    } else {
      if (!state) throw new MeshError('saga.journal-corrupt', `the journal begins with "${event.type}", not "started"`)
      state = settle(apply(state, event), state, nameTouched(event))
    }
  }
  if (!state) throw new MeshError('saga.journal-corrupt', 'the journal is empty')
  return state
}

function begin(started: StartedEvent): SagaState {
  const steps = listPlanSteps(started.plan).map((plan): [string, StepState] => [
    plan.name,
    {
      plan,
      snapshot: plannedStep,
      attempts: 0,
      attempt: 0,
      pinned: false,
      skipped: [],
      hopeless: false,
      deferrals: 0,
      undoAttempts: 0,
    },
  ])
  const waits = listPlanWaits(started.plan).map((plan): [string, WaitState] => [
    plan.name,
    { plan, snapshot: plannedWait },
  ])
  return {
    started,
    ...(started.delegation && { delegation: started.delegation }),
    waits: Object.fromEntries(waits),
    life: runningLife,
    epoch: 0,
    instance: '',
    steps: Object.fromEntries(steps),
    sequences: {},
    awaitsVersion: false,
    heard: [],
  }
}

function apply(state: SagaState, event: Exclude<SagaEvent, StartedEvent | SealedEvent>): SagaState {
  if ('step' in event && event.type !== 'turned') {
    const step = state.steps[event.step]
    if (!step) throw new MeshError('saga.journal-corrupt', `the plan has no step "${event.step}"`)
    const { behind: _before, ...rest } = state
    return { ...rest, awaitsVersion: false, steps: { ...state.steps, [event.step]: applyToStep(step, event) } }
  }
  if ('wait' in event) {
    const wait = state.waits[event.wait]
    if (!wait) throw new MeshError('saga.journal-corrupt', `the plan has no wait "${event.wait}"`)
    const { behind, ...rest } = state
    const queued = event.type === 'signalled' && behind !== undefined ? { behind } : {}
    return { ...rest, ...queued, waits: { ...state.waits, [event.wait]: applyToWait(wait, event) } }
  }
  if (event.type === 'decided') return applyDecision({ ...state, heard: [...state.heard, event.declaration] }, event)
  return applyToSaga(state, event)
}

function applyToSaga(state: SagaState, event: LifeEvent | OwnedEvent): SagaState {
  const move = (type: LifeMove['type']): SagaState => ({ ...state, life: moveLife(state.life, { type }) })
  switch (event.type) {
    case 'owned':
      // A new owner may have the version that the last one lacked.
      return { ...state, epoch: event.epoch, instance: event.instance, awaitsVersion: false }
    case 'awaiting-version':
      return { ...state, awaitsVersion: true }
    case 'turned': {
      const { type: _type, ...turned } = event
      return { ...move('turn'), awaitsVersion: false, turned }
    }
    case 'completed':
      return {
        ...move('complete'),
        ...('output' in event && { output: event.output }),
        ...(event.problem !== undefined && { problem: event.problem }),
      }
    case 'compensated':
      return move('compensate')
    case 'aborted':
      return move('abort')
    case 'stuck':
      return move('stall')
    case 'queued':
      return { ...state, behind: event.behind }
    case 'authorised':
      return { ...state, delegation: event.delegation, steps: forgetDelays(state.steps) }
  }
}

/** A new chain is tried at once. */
function forgetDelays(steps: SagaState['steps']): SagaState['steps'] {
  return Object.fromEntries(
    Object.entries(steps).map(([name, step]) => {
      const { notBeforeMs, ...rest } = step
      return [name, notBeforeMs === undefined || isInFlight(step) ? step : rest]
    }),
  )
}

/** What a wait was signalled before it opened, it keeps; of two signals the first counts. */
function applyToWait(wait: WaitState, event: WaitEvent): WaitState {
  switch (event.type) {
    case 'wait-opened': {
      const { untilMs: _before, ...rest } = wait
      const until = event.untilMs === undefined ? {} : { untilMs: event.untilMs }
      return { ...rest, ...until, snapshot: moveWait(wait.snapshot, { type: 'open' }) }
    }
    case 'signalled': {
      const snapshot = moveWait(wait.snapshot, { type: 'signal' })
      return snapshot.value === wait.snapshot.value ? wait : { ...wait, snapshot, value: event.value }
    }
    case 'wait-ended': {
      const isOver = wait.plan.for === 'time' || wait.plan.onLapse === 'continue'
      const lapses = !isOver || (event.late === true && wait.plan.ifLate === 'undo')
      return { ...wait, snapshot: moveWait(wait.snapshot, { type: lapses ? 'lapse' : 'meet' }) }
    }
  }
}

/** Everything that a fact about a step changes besides its status. Deferrals start anew whenever something got through. */
function applyToStep(step: StepState, event: StepEvent): StepState {
  const moved = (type: StepMove['type']): StepState => {
    const { notBeforeMs: _due, approval: _asked, ...rest } = step
    return { ...rest, snapshot: moveStep(step.snapshot, { type }) }
  }
  const tried = isInFlight(step) ? { attempts: step.attempts + 1, pinned: true } : {}
  switch (event.type) {
    case 'intended':
      return {
        ...moved('intend'),
        attempt: event.attempt,
        provider: event.provider,
        key: event.key,
        ...('input' in event && { input: event.input }),
      }
    case 'provider-skipped':
      return {
        ...moved('release'),
        code: event.code,
        skipped: [...step.skipped, { provider: event.provider, code: event.code, retryable: event.retryable }],
      }
    case 'deferred':
      return {
        ...moved('release'),
        code: event.code,
        skipped: [],
        notBeforeMs: event.untilMs,
        ...(event.approval && { approval: event.approval }),
        deferrals: step.deferrals + 1,
      }
    case 'committed':
      return { ...moved('commit'), ...tried, ...('output' in event && { output: event.output }), deferrals: 0 }
    case 'declined': {
      const { found: _found, ...rest } = moved(event.by === 'lookup' ? 'settle-declined' : 'decline')
      return {
        ...rest,
        ...tried,
        code: event.error.name,
        hopeless: rest.snapshot.value === 'declined' ? event.retryAtMs === undefined : step.hopeless,
        ...(event.retryAtMs !== undefined && { notBeforeMs: event.retryAtMs }),
        deferrals: event.retryAtMs === undefined ? 0 : step.deferrals + 1,
      }
    }
    case 'refused':
    case 'failed':
      return {
        ...moved(event.type === 'refused' ? 'refuse' : 'fail'),
        ...tried,
        // All providers of a round refused before anything was sent: that round counts, and the next starts anew.
        ...(step.snapshot.value === 'planned' && { attempts: step.attempts + 1, skipped: [] }),
        code: event.code,
        hopeless: event.retryAtMs === undefined,
        ...(event.retryAtMs !== undefined && { notBeforeMs: event.retryAtMs }),
        deferrals: step.deferrals + 1,
      }
    case 'unknown': {
      const { found: _found, ...rest } = moved('lose')
      return { ...rest, ...tried, code: event.code, deferrals: 0 }
    }
    case 'looked-up':
      return {
        ...step,
        found: event.found,
        ...(event.code !== undefined && { code: event.code }),
        notBeforeMs: event.retryAtMs,
        deferrals: step.deferrals + 1,
      }
    case 'undo-intended':
      return { ...moved('undo'), undoAttempts: event.attempt }
    case 'undone':
      return { ...moved('undone'), deferrals: 0 }
    case 'closed': {
      const { notBeforeMs: _due, ...rest } = step
      return { ...rest, closed: true, ...(event.code !== undefined && { code: event.code }) }
    }
    case 'sent': {
      const { type: _type, step: _step, ...command } = event
      return { ...step, sent: { ...step.sent, [event.phase]: command } }
    }
    case 'receipt':
      return { ...step, receipts: { ...step.receipts, [event.phase]: event.attempt } }
    case 'accepted':
      return moved('accept')
    case 'stalled':
      return { ...moved('stall'), code: event.code }
  }
}

/** The only part that an event is about; undefined for one that may concern any. */
function nameTouched(event: Exclude<SagaEvent, StartedEvent>): string | undefined {
  if ('wait' in event) return event.wait
  return 'step' in event && event.type !== 'turned' ? event.step : undefined
}

/** Draws the consequences: what the sequences are at, what is skipped for ever, and whether the saga waits. */
function settle(state: SagaState, before?: SagaState, touched?: string): SagaState {
  const turned = state.turned !== undefined
  const sequences = { ...state.sequences }
  const steps = turned ? skipPlanned(state.steps) : state.steps
  const isKnown = before !== undefined && before.turned === state.turned
  settleTree({
    plan: state.started.plan,
    steps,
    waits: state.waits,
    sequences,
    turned,
    touched: isKnown ? touched : undefined,
  })
  const { waiting: _before, ...rest } = state
  const settled: SagaState = { ...rest, steps, sequences }
  const waiting = findWaiting(settled)
  const { value } = settled.life
  const isWrong = waiting ? value === 'running' : value === 'waiting'
  const life = isWrong ? moveLife(settled.life, { type: waiting ? 'wait' : 'resume' }) : settled.life
  return { ...settled, life, ...(waiting && { waiting }) }
}

function skipPlanned(steps: SagaState['steps']): SagaState['steps'] {
  return Object.fromEntries(
    Object.entries(steps).map(([name, step]) => [
      name,
      step.snapshot.value === 'planned' ? { ...step, snapshot: moveStep(step.snapshot, { type: 'skip' }) } : step,
    ]),
  )
}
