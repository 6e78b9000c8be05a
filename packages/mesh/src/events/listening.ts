import { MeshError } from '@parley/protocol'
import type { ContractEvent } from '../contract/event.ts'
import type { Listener } from './happened.ts'

/** An event that this node listens to, with what takes it; its type erased: the schema has checked what it promises. */
export interface Listening {
  readonly event: ContractEvent
  readonly listener: Listener
}

/**
 * Adds a listener. Throws `mesh.config-invalid` for an event that the node's options do not list, since its credential
 * is asked for those only, and for a second listener of one event.
 */
export function addListener(
  listening: Map<string, Listening>,
  listens: readonly ContractEvent[],
  event: ContractEvent,
  listener: Listener,
): void {
  if (!listens.includes(event))
    throw new MeshError('mesh.config-invalid', `the event ${event.capability} is not among the node's \`listens\``)
  if (listening.has(event.topic))
    throw new MeshError('mesh.config-invalid', `something listens to ${event.capability} already`)
  listening.set(event.topic, { event, listener })
}
