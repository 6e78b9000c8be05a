import type { AgentName } from '@parley/protocol'
import { describeSteps } from '../kernel/describe-steps.ts'
import type { SagaStatus } from '../kernel/life-machine.ts'
import type { SagaState, TurnReason, Waiting } from '../kernel/saga-state.ts'
import type { StepStatus } from '../kernel/step-machine.ts'

/** One step, for people and programs that look at a saga. */
export interface StepView {
  readonly status: StepStatus
  readonly capability: string
  readonly provider?: AgentName
  /** Attempts that left, or may have left, the orchestrator. */
  readonly attempts: number
  /** The last code, or the name of the declared error. */
  readonly code?: string
}

/** A saga, for people and programs that look at it. JSON. */
export interface SagaView {
  readonly id: string
  readonly definition: { readonly name: string; readonly version: number }
  readonly status: SagaStatus
  /** What a `waiting` saga waits for, and until when before it tries again. */
  readonly waiting?: Waiting
  /** Why the saga is on its way back, or came back. */
  readonly turned?: TurnReason
  readonly epoch: number
  readonly expiresAtMs: number
  readonly steps: Readonly<Record<string, StepView>>
  /** Its journal was compacted: this is what is left of it. */
  readonly sealed?: true
}

/** Draws the view of a saga from its state. */
export function describeSaga(state: SagaState): SagaView {
  const { id, definition, expiresAtMs } = state.started
  const steps = state.sealed?.steps ?? describeSteps(state)
  return {
    id,
    definition: { name: definition.name, version: definition.version },
    status: state.life.value,
    ...(state.waiting && { waiting: state.waiting }),
    ...(state.turned && { turned: state.turned }),
    epoch: state.epoch,
    expiresAtMs,
    steps: steps as SagaView['steps'],
    ...(state.sealed && { sealed: true }),
  }
}
