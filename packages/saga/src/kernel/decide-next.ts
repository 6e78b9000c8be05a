import { findFrontier } from './frontier.ts'
import { isEnded, isPastPivot, type SagaState, type StepState, type WaitState } from './saga-state.ts'
import { hasToBeUndone, isToBeClosed, rootPath } from './settle-tree.ts'

/** What is to be done next. The first four reach out; the others only write to the journal. */
export type Decision =
  | { readonly kind: 'send' | 'lookup' | 'undo' | 'close'; readonly step: string }
  /** The way back begins, because of this step. */
  | { readonly kind: 'turn'; readonly step: string; readonly code: string }
  /** Nothing more can be done about this step. */
  | { readonly kind: 'stall'; readonly step: string; readonly code: string }
  /** A wait opens, or its time is over. */
  | { readonly kind: 'open-wait' | 'end-wait'; readonly step: string; readonly late?: true }
  | { readonly kind: 'end'; readonly as: 'completed' | 'compensated' | 'aborted' | 'stuck' }

/** Decisions that hold now, and when to ask again if nothing happens before. */
export interface NextDecisions {
  readonly now: readonly Decision[]
  readonly wakeAtMs?: number
}

/** How many undos that reached out may fail before a human is asked: with delays up to 30 s, about 20 minutes. */
export const maxUndoAttempts = 50

/** How long after its time a wait counts as late: longer than any pause of a process that lives. */
export const lateAfterMs = 60_000

/**
 * Decides what follows from a state at `nowMs`. Pure, and the same until an event changes the state; the caller leaves out
 * what it is already doing.
 */
export function decideNext(state: SagaState, nowMs: number): NextDecisions {
  if (isEnded(state)) return { now: [] }
  const root = state.sequences[rootPath]
  const closing = root?.value === 'complete' || root?.value === 'unwound' ? closeSteps(state, nowMs) : undefined
  if (closing) return closing
  if (root?.value === 'complete') return { now: [{ kind: 'end', as: 'completed' }] }
  if (root?.value === 'unwound') {
    const isWaived = Object.values(state.steps).some((step) => step.snapshot.value === 'waived')
    return { now: [{ kind: 'end', as: isWaived ? 'aborted' : 'compensated' }] }
  }
  const { steps: frontier, waits: allWaits } = findFrontier(state)
  const expired = nowMs >= state.started.expiresAtMs
  const due = frontier.filter((step) => expired || (step.notBeforeMs ?? 0) <= nowMs)
  const waits = state.turned ? [] : allWaits
  const now = [
    ...due.flatMap((step) => decideStep(state, step, expired) ?? []),
    ...waits.flatMap((wait) => decideWait(state, wait, nowMs) ?? []),
  ]
  const isAllParked = frontier.every(isParked) && waits.every(() => expired)
  if (now.length === 0 && frontier.length + waits.length > 0 && isAllParked)
    return { now: [{ kind: 'end', as: 'stuck' }] }
  const later = [
    ...(due.length === frontier.length ? [] : frontier.filter((step) => !due.includes(step))).map(
      (step) => step.notBeforeMs ?? 0,
    ),
    ...waits.map((wait) => wait.untilMs ?? Infinity),
  ]
  return later.length > 0 ? { now, wakeAtMs: Math.min(...later, state.started.expiresAtMs) } : { now }
}

/** Participants that keep something for the saga are told that it is over before it is: nobody drives it afterwards. */
function closeSteps(state: SagaState, nowMs: number): NextDecisions | undefined {
  if (nowMs >= state.started.expiresAtMs) return undefined
  const open = Object.values(state.steps).filter(isToBeClosed)
  if (open.length === 0) return undefined
  const due = open.filter((step) => (step.notBeforeMs ?? 0) <= nowMs)
  const later = open.filter((step) => !due.includes(step)).map((step) => step.notBeforeMs ?? 0)
  return {
    now: due.map((step) => ({ kind: 'close', step: step.plan.name })),
    wakeAtMs: Math.min(...later, state.started.expiresAtMs),
  }
}

/** A wait that lapsed, or that outlives its saga, leads back where there is a way back. */
function decideWait(state: SagaState, wait: WaitState, nowMs: number): Decision | undefined {
  const { name, ifLate } = wait.plan
  const back = (code: string): Decision | undefined =>
    isPastPivot(state) ? undefined : { kind: 'turn', step: name, code }
  if (nowMs >= state.started.expiresAtMs) return back('saga.command-expired')
  switch (wait.snapshot.value) {
    case 'planned':
    case 'signalled':
      return { kind: 'open-wait', step: name }
    case 'open': {
      if (wait.untilMs === undefined || nowMs < wait.untilMs) return undefined
      if (nowMs < wait.untilMs + lateAfterMs) return { kind: 'end-wait', step: name }
      if (ifLate === 'wait-again' && wait.plan.withinMs !== undefined) return { kind: 'open-wait', step: name }
      return { kind: 'end-wait', step: name, late: true }
    }
    case 'lapsed':
      return back('saga.wait-lapsed')
    case 'met':
      return undefined
  }
}

/** In a branch, what is already through waits for its siblings; what is stuck waits for a human. */
function isParked(step: StepState): boolean {
  return step.snapshot.value === 'stuck'
}

function decideStep(state: SagaState, step: StepState, expired: boolean): Decision | undefined {
  return state.turned ? decideBack(step, expired) : decideForward(state, step, expired)
}

function decideForward(state: SagaState, step: StepState, expired: boolean): Decision | undefined {
  const name = step.plan.name
  const giveUp = (code: string): Decision =>
    canTurn(state, step) ? { kind: 'turn', step: name, code } : { kind: 'stall', step: name, code }
  const mayTry = step.attempts < step.plan.retry.attempts && !step.hopeless
  switch (step.snapshot.value) {
    case 'planned':
      return expired ? giveUp('saga.command-expired') : { kind: 'send', step: name }
    case 'failed':
    case 'refused':
    case 'declined':
      if (expired) return giveUp('saga.command-expired')
      return mayTry ? { kind: 'send', step: name } : giveUp(step.code ?? '')
    case 'unknown':
      if (expired) return giveUp('saga.command-expired')
      // A read has no effect to find: ask again.
      if (step.plan.risk !== 'read' && step.found === undefined) return { kind: 'lookup', step: name }
      // What cannot be taken back is only sent again when its participant said that it was never done.
      if (step.found === 'refused' && !step.plan.undo && step.plan.risk !== 'read') return giveUp(step.code ?? '')
      return mayTry ? { kind: 'send', step: name } : giveUp(step.code ?? '')
    case 'undone':
      // A lookup found a tombstone: the command can never be done any more.
      return giveUp('saga.tombstoned')
    default:
      return undefined
  }
}

/** There is a way back unless the pivot committed, or the step itself may have an effect that nothing takes back. */
function canTurn(state: SagaState, step: StepState): boolean {
  if (isPastPivot(state)) return false
  return step.plan.undo || !hasToBeUndone(step)
}

function decideBack(step: StepState, expired: boolean): Decision | undefined {
  const name = step.plan.name
  switch (step.snapshot.value) {
    case 'committed':
    case 'unknown':
    case 'undoing':
      // After its expiry a participant may have forgotten the command, and would call undone what still stands.
      if (expired) return { kind: 'stall', step: name, code: 'saga.command-expired' }
      if (step.undoAttempts >= maxUndoAttempts) return { kind: 'stall', step: name, code: step.code ?? '' }
      return { kind: 'undo', step: name }
    default:
      return undefined
  }
}
