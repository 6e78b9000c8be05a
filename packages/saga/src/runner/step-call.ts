import type { CallOptions, ContractCapability, Outcome } from '@parley/mesh'
import type { AgentName } from '@parley/protocol'
import type { SagaDefinition } from '../definition/define-saga.ts'
import type { StepCall } from '../kernel/interpret-outcome.ts'
import type { SagaState } from '../kernel/saga-state.ts'
import type { SagaNode } from './saga-node.ts'
import { toStepCapability } from './step-capability.ts'

/** How one call is followed. */
export interface StepCallOptions extends Pick<CallOptions, 'signal' | 'onProgress' | 'mailbox' | 'beforeSend'> {
  /** Hash of the journal's last entry: the command's signature is over all that led to it. */
  readonly journal?: string
}

/** Makes one call of a step, as the journal says that it was intended: provider, key, epoch, attempt and input. */
export function callStep(
  node: SagaNode,
  state: SagaState,
  call: StepCall,
  definition?: SagaDefinition,
  { journal, ...follow }: StepCallOptions = {},
): Promise<Outcome> {
  const { id, expiresAtMs, trace } = state.started
  const step = state.steps[call.step]
  if (!step?.key || step.provider === undefined) throw new TypeError(`the step "${call.step}" has no intent`)
  const delegation = step.plan.delegation ?? state.delegation
  const options: CallOptions = {
    ...follow,
    to: step.provider as AgentName,
    deadlineMs: step.plan.deadlineMs,
    trace,
    saga: {
      id,
      step: call.step,
      attempt: Math.max(1, call.attempt),
      epoch: state.epoch,
      key: step.key,
      phase: call.phase,
      ...(journal !== undefined && { journal }),
      expiresAtMs,
    },
    // A saga that a handler started acts for its own plan: a command needs no token of its caller.
    ...(delegation ? { delegation } : { authority: 'own' }),
  }
  const fromPlan = toStepCapability(step.plan)
  if (call.phase === 'do') {
    const capability: ContractCapability = definition?.steps.get(call.step)?.capability ?? fromPlan
    return node.tryCall(capability, step.input, options)
  }
  return node.tryCall(fromPlan, call.phase === 'undo' && 'output' in step ? { output: step.output } : {}, options)
}
