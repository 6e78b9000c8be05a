import type { LookupAnswer, Outcome } from '@parley/mesh'
import { errorCodes, type ErrorCode } from '@parley/protocol'
import { delayMs } from './delay.ts'
import { findHold } from './hold-code.ts'
import type { SagaEvent } from './saga-event.ts'
import { isPastPivot, type SagaState, type StepState } from './saga-state.ts'
import { isInFlight, isToBeClosed } from './settle-tree.ts'

/** The time and the random number that a wait is computed from. */
export interface Moment {
  readonly nowMs: number
  /** In [0, 1). */
  readonly random: number
}

/** One call of the runner, as it was made: what a reply must match to count. */
export interface StepCall {
  readonly step: string
  readonly phase: 'do' | 'undo' | 'lookup' | 'close'
  readonly attempt: number
}

/** How often the end of a saga is told to a participant that does not answer: with delays from 200 ms, about 10 s. */
const maxCloseAttempts = 6

/** Refusals of a node that is closing or not connected: they say nothing about the step, which waits. */
const waitCodes: ReadonlySet<string> = new Set<ErrorCode>(['mesh.not-started', 'transport.closed', 'hop.cancelled'])

/**
 * Turns the outcome of a call into events. Returns none for a reply that matches nothing outstanding (T10): another
 * attempt, or a step that was settled otherwise.
 */
export function interpretOutcome(
  state: SagaState,
  call: StepCall,
  outcome: Outcome,
  moment: Moment,
): readonly SagaEvent[] {
  const step = state.steps[call.step]
  if (!step) return []
  const status = step.snapshot.value
  switch (call.phase) {
    case 'do':
      return isInFlight(step) && step.attempt === call.attempt ? [interpretForward(state, step, outcome, moment)] : []
    case 'lookup':
      return status === 'unknown' && !state.turned ? [interpretLookup(step, outcome, moment)] : []
    case 'undo':
      return status === 'undoing' && step.undoAttempts === call.attempt ? [interpretUndo(step, outcome, moment)] : []
    case 'close':
      return isToBeClosed(step) ? [interpretClose(step, outcome, moment)] : []
  }
}

function interpretForward(state: SagaState, step: StepState, outcome: Outcome, moment: Moment): SagaEvent {
  const name = step.plan.name
  // After the pivot there is no way back, so that even a definite no is tried again.
  const retryAtMs = isPastPivot(state) ? backOff(step, moment) : undefined
  const retry = (atMs: number | undefined): { readonly retryAtMs?: number } =>
    atMs === undefined ? {} : { retryAtMs: atMs }
  switch (outcome.kind) {
    case 'ok':
      return { type: 'committed', step: name, by: 'reply', output: outcome.output }
    case 'declined':
      return { ...interpretDeclined(step, outcome.error, moment), by: 'reply' }
    case 'failed':
      return {
        type: 'failed',
        step: name,
        code: outcome.code,
        ...retry(outcome.retryable ? backOff(step, moment) : retryAtMs),
      }
    case 'unknown':
      return { type: 'unknown', step: name, code: outcome.code }
    case 'refused': {
      // Nothing was done, and somebody can lift it. Before the first provider was sent to, another one may be free of it.
      if (findHold(outcome.code) && (outcome.hop.sent || step.pinned))
        return {
          ...defer(step, outcome.code, moment, outcome.retryAfterMs),
          ...(outcome.approval && { approval: { id: outcome.approval.id, digest: outcome.approval.digest } }),
        }
      if (outcome.hop.sent)
        return {
          type: 'refused',
          step: name,
          code: outcome.code,
          ...retry(outcome.retryAfterMs === undefined ? retryAtMs : backOff(step, moment, outcome.retryAfterMs)),
        }
      const retryable = isWorthWaiting(outcome)
      if (!step.pinned)
        return { type: 'provider-skipped', step: name, provider: step.provider ?? '', code: outcome.code, retryable }
      if (retryable) return defer(step, outcome.code, moment, outcome.retryAfterMs)
      return { type: 'refused', step: name, code: outcome.code, ...retry(retryAtMs) }
    }
  }
}

function interpretDeclined(
  step: StepState,
  told: unknown,
  moment: Moment,
): Omit<SagaEvent & { readonly type: 'declined' }, 'by'> {
  const error = readDeclined(told)
  const isWorthAsking = step.plan.retry.declined?.includes(error.name) === true
  return {
    type: 'declined',
    step: step.plan.name,
    error,
    ...(isWorthAsking && { retryAtMs: backOff(step, moment) }),
  }
}

function interpretLookup(step: StepState, outcome: Outcome, moment: Moment): SagaEvent {
  const name = step.plan.name
  const noAnswer = (code: string): SagaEvent => ({
    type: 'looked-up',
    step: name,
    found: 'refused',
    code,
    retryAtMs: backOff(step, moment),
  })
  switch (outcome.kind) {
    case 'ok': {
      const answer = readLookupAnswer(outcome.output)
      if (!answer) return noAnswer('contract.output-invalid')
      switch (answer.found) {
        case 'ok':
          return { type: 'committed', step: name, by: 'lookup', output: answer.output }
        case 'declined':
          return { ...interpretDeclined(step, answer.error, moment), by: 'lookup' }
        case 'tombstone':
          return { type: 'undone', step: name, by: 'lookup' }
        case 'absent':
          return { type: 'looked-up', step: name, found: 'absent', retryAtMs: backOff(step, moment) }
      }
    }
    case 'unknown':
      return defer(step, outcome.code, moment)
    case 'declined':
      return noAnswer(readDeclined(outcome.error).name)
    case 'failed':
      return outcome.retryable ? defer(step, outcome.code, moment) : noAnswer(outcome.code)
    case 'refused':
      return isWorthWaiting(outcome) ? defer(step, outcome.code, moment, outcome.retryAfterMs) : noAnswer(outcome.code)
  }
}

function interpretUndo(step: StepState, outcome: Outcome, moment: Moment): SagaEvent {
  const name = step.plan.name
  switch (outcome.kind) {
    case 'ok':
      return { type: 'undone', step: name, by: 'reply' }
    case 'unknown':
      return defer(step, outcome.code, moment)
    case 'declined':
      return { type: 'stalled', step: name, code: readDeclined(outcome.error).name }
    case 'failed':
      return outcome.retryable ? defer(step, outcome.code, moment) : { type: 'stalled', step: name, code: outcome.code }
    case 'refused':
      return isWorthWaiting(outcome)
        ? defer(step, outcome.code, moment, outcome.retryAfterMs)
        : { type: 'stalled', step: name, code: outcome.code }
  }
}

/** The effects stand, told or not: a participant that cannot be told keeps its locks until they lapse. */
function interpretClose(step: StepState, outcome: Outcome, moment: Moment): SagaEvent {
  const name = step.plan.name
  if (outcome.kind === 'ok') return { type: 'closed', step: name }
  const code = outcome.kind === 'declined' ? readDeclined(outcome.error).name : outcome.code
  const isHopeless = outcome.kind === 'declined' || (outcome.kind === 'refused' && !isWorthWaiting(outcome))
  return isHopeless || step.deferrals + 1 >= maxCloseAttempts
    ? { type: 'closed', step: name, code }
    : defer(step, code, moment)
}

/** Makes the event with which a step waits for its participant. */
export function defer(
  step: StepState,
  code: string,
  moment: Moment,
  retryAfterMs?: number,
): SagaEvent & { readonly type: 'deferred' } {
  return { type: 'deferred', step: step.plan.name, code, untilMs: backOff(step, moment, retryAfterMs) }
}

/** Computes when a step is tried again: later each time, and not before the callee asked for. */
export function backOff(step: StepState, moment: Moment, atLeastMs = 0): number {
  return moment.nowMs + Math.max(atLeastMs, delayMs(step.plan.retry, step.deferrals, moment.random))
}

function isWorthWaiting(refused: { readonly code: ErrorCode; readonly retryAfterMs?: number }): boolean {
  return (
    refused.retryAfterMs !== undefined ||
    waitCodes.has(refused.code) ||
    findHold(refused.code) !== undefined ||
    isRetryable(refused.code)
  )
}

/** A newer peer may send a code that this build does not know, which is no reason to hope. */
function isRetryable(code: string): boolean {
  return Object.hasOwn(errorCodes, code) && errorCodes[code as ErrorCode].retryable
}

function readDeclined(error: unknown): { readonly name: string; readonly details?: unknown } {
  const { name, details } = (error ?? {}) as { readonly name?: unknown; readonly details?: unknown }
  return { name: typeof name === 'string' ? name : 'declined', ...(details !== undefined && { details }) }
}

/** What a peer answers to a lookup is a peer's claim: anything but the four shapes counts as no answer. */
function readLookupAnswer(value: unknown): LookupAnswer | undefined {
  if (typeof value !== 'object' || value === null || !('found' in value)) return undefined
  if (value.found === 'absent' || value.found === 'tombstone') return { found: value.found }
  if (value.found === 'ok') return { found: 'ok', output: 'output' in value ? value.output : undefined }
  if (value.found !== 'declined' || !('error' in value)) return undefined
  const error = readDeclined(value.error)
  return { found: 'declined', error: { name: error.name, details: error.details } }
}
