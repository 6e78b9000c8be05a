import type { Store } from '@parley/ports'
import type { EventLog } from '../node/event-log.ts'
import type { NodeConfig } from '../node/node-options.ts'
import { createPolicyGate, type PolicyGate } from './released-policy.ts'

/** What a policy passes on its way into force. */
export interface PolicyDoor {
  readonly note: EventLog
  /** Absent where anything may be loaded. */
  readonly gate: PolicyGate | undefined
}

/** Makes the door of a node. */
export function policyDoor(config: NodeConfig, { keyValue }: Store, note: EventLog): PolicyDoor {
  const { policySignedBy: owner, name: agent, mesh, anchors, clock } = config
  return { note, gate: owner && createPolicyGate({ owner, agent, mesh, anchors, clock, keyValue }) }
}
