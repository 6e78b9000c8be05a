import type { PlanStep, PlanWait } from '../definition/plan.ts'
import type { LifeSnapshot } from './life-machine.ts'
import type { ApprovalAsked, SealedEvent, SentCommand, StartedEvent } from './saga-event.ts'
import type { SequenceSnapshot } from './sequence-machine.ts'
import type { StepSnapshot } from './step-machine.ts'
import type { WaitSnapshot } from './wait-machine.ts'

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
  /** The request that people can answer, while the step waits for it. */
  readonly approval?: ApprovalAsked
  /** Nothing is to be sent for this step before this time. */
  readonly notBeforeMs?: number
  /** Waits in a row, which lengthen the next one. */
  readonly deferrals: number
  readonly undoAttempts: number
  /** The attempt whose receipt came last, by phase. */
  readonly receipts?: Readonly<Partial<Record<SentCommand['phase'], number>>>
  /** Its participant knows that the saga is over, or could not be told. */
  readonly closed?: true
  /** The last command of each phase, where its outcome is to come to the mailbox. */
  readonly sent?: Readonly<Partial<Record<SentCommand['phase'], SentCommand>>>
}

/** What the journal says of one wait. */
export interface WaitState {
  readonly plan: PlanWait
  readonly snapshot: WaitSnapshot
  /** When its time is over, once it is open. */
  readonly untilMs?: number
  /** What was signalled. */
  readonly value?: unknown
}

/** What a saga waits for, until when, and what happens then. */
export interface Waiting {
  readonly for:
    | 'participant'
    | 'retry'
    | 'version'
    | 'signal'
    | 'time'
    | 'approval'
    | 'authority'
    | 'allowance'
    | 'another-saga'
  /** The step, or the wait, that it stands at. */
  readonly step?: string
  /** The refusal, or what failed, that it waits after. */
  readonly code?: string
  /** Without it, until somebody acts. */
  readonly untilMs?: number
  /** The request that people can answer. */
  readonly approval?: ApprovalAsked
  /** What happens at `untilMs`. */
  readonly next?: 'try-again' | 'go-on' | 'undo'
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
  /** What is left of a saga whose journal was compacted. */
  readonly sealed?: SealedEvent
  readonly life: LifeSnapshot
  readonly epoch: number
  readonly instance: string
  readonly steps: Readonly<Record<string, StepState>>
  /** Sequences by path: `$` is the saga's own, `<group>.<branch index>` those of groups that were entered. */
  readonly sequences: Readonly<Record<string, SequenceSnapshot>>
  readonly waits: Readonly<Record<string, WaitState>>
  readonly awaitsVersion: boolean
  /** What humans declared, so that it counts once. */
  readonly heard: readonly string[]
  /** The saga of the same key that comes first. */
  readonly behind?: string
  /** The chain that steps act under which have none of their own. */
  readonly delegation?: readonly string[]
  readonly waiting?: Waiting
  readonly turned?: TurnReason
  readonly output?: unknown
  readonly problem?: string
}

/** Tells whether the saga has come to an end: proven, given up by a human, or stuck until one decides. */
export function isEnded(state: SagaState): boolean {
  return state.life.value === 'stuck' || isOver(state)
}

/** Tells whether nothing can happen to the saga any more. */
export function isOver(state: SagaState): boolean {
  return ['completed', 'compensated', 'aborted'].includes(state.life.value)
}

/** Tells whether the saga's pivot committed, after which it only goes forward. */
export function isPastPivot(state: SagaState): boolean {
  return Object.values(state.steps).some((step) => step.plan.pivot && step.snapshot.value === 'committed')
}
