import type { JournaledEvent } from '../journal/journal-format.ts'
import type { SagaState } from '../kernel/saga-state.ts'
import type { SagaNode } from './saga-node.ts'

/** Tells the node's audit log, and its logger where a human is needed, what became durable of a saga. */
export function publishEvents(
  node: Pick<SagaNode, 'record' | 'logger'>,
  state: SagaState,
  entries: readonly JournaledEvent[],
): void {
  const { id, definition: of } = state.started
  for (const { event, position } of entries) {
    node.record('saga', {
      saga: id,
      definition: `${of.name}@${of.version}`,
      event: event.type,
      position,
      epoch: state.epoch,
      status: state.life.value,
      ...('step' in event && event.step !== undefined && { step: event.step }),
      ...('wait' in event && { step: event.wait }),
      ...('code' in event && event.code !== undefined && { code: event.code }),
      ...('attempt' in event && { attempt: event.attempt }),
      ...(event.type === 'decided' && { decision: event.decision, by: event.by, step: event.about }),
    })
    if (event.type === 'stalled') node.logger.error('saga.step-stuck', { saga: id, step: event.step, code: event.code })
    if (event.type === 'stuck') node.logger.error('saga.stuck', { saga: id, definition: of.name })
  }
}
