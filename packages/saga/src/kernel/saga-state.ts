import type { PlanStep } from '../definition/plan.ts'
import type { LifeSnapshot } from './life-machine.ts'
import type { StartedEvent } from './saga-event.ts'
import type { SequenceSnapshot } from './sequence-machine.ts'
import type { StepSnapshot } from './step-machine.ts'

/** A provider that nothing could be sent to in this round. */
export interface SkippedProvider {
  readonly provider: string
  readonly code: string
  readonly retryable: boolean
}

/** What the journal says of one step. */
export interface StepState {
  readonly plan: PlanStep
  readonly snapshot: StepSnapshot
  /** Attempts whose command left, or may have left, this process. */
  readonly attempts: number
  /** The attempt that is outstanding; replies to any other are ignored. 0 before the first. */
  readonly attempt: number
  /** The agent that was asked last. */
  readonly provider?: string
  /** A command may have reached the provider: retries, lookups and the undo go there and nowhere else. */
  readonly pinned: boolean
  readonly skipped: readonly SkippedProvider[]
  /** The idempotency key, and the mapped input, once there is an intent. */
  readonly key?: string
  readonly input?: unknown
  readonly output?: unknown
  /** What the last lookup found, until another attempt is lost. */
  readonly found?: 'absent' | 'refused'
  /** The last definite answer allows no further attempt. */
  readonly hopeless: boolean
  /** The last code, or the name of the declared error. */
  readonly code?: string
  /** Nothing is to be sent for this step before this time. */
  readonly notBeforeMs?: number
  /** Waits in a row, which lengthen the next one. */
  readonly deferrals: number
  readonly undoAttempts: number
}

/** What a saga waits for, and until when at the latest it will try again. */
export interface Waiting {
  readonly for: 'participant' | 'retry' | 'version'
  readonly step?: string
  readonly code: string
  /** Since when, as the journal has it; for `version` there is no `untilMs`. */
  readonly untilMs?: number
}

/** Why a saga is on its way back. */
export interface TurnReason {
  readonly code: string
  readonly step?: string
  readonly reason?: string
}

/** The fold of a saga's journal. JSON, and equal wherever the same events are folded. */
export interface SagaState {
  readonly started: StartedEvent
  readonly life: LifeSnapshot
  readonly epoch: number
  readonly instance: string
  readonly steps: Readonly<Record<string, StepState>>
  /** Sequences by path: `$` is the saga's own, `<group>.<branch index>` those of groups that were entered. */
  readonly sequences: Readonly<Record<string, SequenceSnapshot>>
  readonly awaitsVersion: boolean
  readonly waiting?: Waiting
  readonly turned?: TurnReason
  readonly output?: unknown
  readonly problem?: string
}

/** Tells whether the saga has come to an end, proven or stuck. */
export function isEnded(state: SagaState): boolean {
  return ['completed', 'compensated', 'stuck'].includes(state.life.value)
}

/** Tells whether the saga's pivot committed, after which it only goes forward. */
export function isPastPivot(state: SagaState): boolean {
  return Object.values(state.steps).some((step) => step.plan.pivot && step.snapshot.value === 'committed')
}
