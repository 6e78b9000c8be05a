import { decidePolicy } from '@parley/policy'
import { allowed, refuse } from '@parley/protocol'
import type { InboundHop } from '../../inbound-hop.ts'
import { peerOf } from '../../peer-of.ts'
import { ownTrust, policyPeer } from '../../policy-input.ts'
import { left, type Stage } from '../../stage.ts'

/** Decides before an event is heard: its sender must be granted to serve it, this node to call it. */
export const eventPolicy: Stage<InboundHop> = {
  name: 'policy',
  run(hop) {
    const { parts } = hop
    const header = left(hop.header, 'the header')
    const { event } = left(hop.listening, 'who listens')
    const action = event.capability
    const decision = decidePolicy(parts.policy(), {
      action,
      direction: 'inbound',
      phase: 'do',
      risk: event.risk,
      caller: policyPeer(peerOf(hop), 'serves', action, left(hop.trust, 'the trust')),
      callee: policyPeer(parts.ownCredential(), 'calls', action, ownTrust),
      onBehalfOf: header.onBehalfOf ?? '',
      labels: header.labels ?? [],
      delegation: { present: false, root: '', depth: 0 },
      hop: { index: 0 },
      saga: { present: false, id: '', step: '', attempt: 0 },
      body: () => JSON.parse(new TextDecoder().decode(hop.envelope.body)) as unknown,
      time: { nowMs: parts.clock.now() },
    })
    hop.decision = decision
    if (decision.kind === 'allow') return allowed
    return refuse(decision.code, decision.reason, { rule: `${decision.document}#${decision.rule}` })
  },
}
