import type { Transport } from '@parley/ports'
import type { AuditLog } from '@parley/audit'
import type { NodeHealth } from './node.ts'
import type { NodeParts } from './node-parts.ts'

/** What a node that was started is asked about. */
export interface RunningFacts {
  readonly parts: NodeParts
  readonly transport: Transport
  readonly audit: AuditLog
}

/** Says whether a node in this state works, and why not. */
export function tellHealth(state: string, running: RunningFacts | undefined): NodeHealth {
  const reasons: string[] = []
  if (state !== 'started') reasons.push(`the node is ${state === 'created' ? 'not started' : state}`)
  if (running && running.transport.status() !== 'connected') reasons.push(`the bus is ${running.transport.status()}`)
  const credentialRemainingMs = running
    ? running.parts.ownCredential().expiresAtMs - running.parts.clock.now()
    : undefined
  if (credentialRemainingMs !== undefined && credentialRemainingMs <= 0) reasons.push('the credential is expired')
  if (running && state !== 'closed' && !running.audit.canAppend()) reasons.push('the audit log cannot take records')
  return {
    live: state !== 'conflicted' && state !== 'closed',
    ready: reasons.length === 0,
    reasons,
    ...(credentialRemainingMs === undefined ? {} : { credentialRemainingMs }),
  }
}
