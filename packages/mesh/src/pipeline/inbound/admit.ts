import { allowed, formatAgentId, refuse } from '@parley/protocol'
import type { InboundHop } from '../inbound-hop.ts'
import { peerOf } from '../peer-of.ts'
import { left, type Stage } from '../stage.ts'

/** Takes a place: the node is not draining, both sides have the same contract, there is time and room, and it will be recorded. */
export const admit: Stage<InboundHop> = {
  name: 'admit',
  run(hop) {
    const { parts } = hop
    const header = left(hop.header, 'the header')
    if (!parts.accepting()) return refuse('mesh.draining', 'the node finishes its work')
    if (parts.ownCredential().expiresAtMs <= parts.clock.now())
      return refuse('identity.credential-expired', 'the own credential is expired', { retryAfterMs: 1_000 })
    const { contract } = left(parts.served.get(left(header.capability, 'the capability')), 'the capability')
    if (header.contract !== contract.hash)
      return refuse('contract.incompatible', `caller and callee have different contracts for ${contract.capability}`)
    if ((header.remainingMs ?? 0) <= 0) return refuse('deadline.exceeded', 'no time is left for the call')
    if (!parts.audit.canAppend()) return refuse('hop.unrecorded', 'the audit log cannot take another record')
    const release = parts.inFlight.enter(formatAgentId(peerOf(hop)))
    if (!release) return refuse('bulkhead.full', 'too many calls are being served', { retryAfterMs: 100 })
    hop.release = release
    return allowed
  },
}
