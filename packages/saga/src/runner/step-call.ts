import type { CallOptions, ContractCapability, Outcome } from '@parley/mesh'
import type { AgentName } from '@parley/protocol'
import type { SagaDefinition } from '../definition/define-saga.ts'
import type { StepCall } from '../kernel/interpret-outcome.ts'
import type { SagaState } from '../kernel/saga-state.ts'
import type { SagaNode } from './saga-node.ts'
import { toStepCapability } from './step-capability.ts'

/** Makes one call of a step, as the journal says that it was intended: provider, key, epoch, attempt and input. */
export function callStep(
  node: SagaNode,
  state: SagaState,
  call: StepCall,
  definition?: SagaDefinition,
  follow: Pick<CallOptions, 'signal' | 'onProgress' | 'mailbox' | 'beforeSend'> = {},
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
