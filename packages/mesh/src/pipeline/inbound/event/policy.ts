import { noDelegation, type PolicyInput } from '@parley/policy'
import type { Verdict } from '@parley/protocol'
import { decideHop, type DecidedHop } from '../../decide-hop.ts'
import { obligationsOf } from '../../../policy/obligations.ts'
import type { InboundHop } from '../../inbound-hop.ts'
import { peerOf } from '../../peer-of.ts'
import { policyObjective } from '../../policy-facts.ts'
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
    const peer = peerOf(hop)
    const input: PolicyInput = {
      action,
      direction: 'inbound',
      phase: 'do',
      risk: event.risk,
      caller: policyPeer(peer, 'serves', action, left(hop.trust, 'the trust')),
      callee: policyPeer(parts.ownCredential(), 'calls', action, ownTrust),
      onBehalfOf: header.onBehalfOf ?? '',
      labels: header.labels ?? [],
      obligations: obligationsOf(header.labels),
      delegation: noDelegation,
      hop: { index: 0, path: [peer.name] },
      saga: { present: false, id: '', step: '', attempt: 0 },
      objective: policyObjective(parts, peer, action),
      body: () => JSON.parse(new TextDecoder().decode(hop.envelope.body)) as unknown,
      time: { nowMs: parts.clock.now() },
    }
    const decided = decideHop(parts, input, { hop: header.id, original: () => hop.envelope.body })
    return decided instanceof Promise ? decided.then((told) => takeDecision(hop, told)) : takeDecision(hop, decided)
  },
}

function takeDecision(hop: InboundHop, { decision, verdict, rewrite }: DecidedHop): Verdict {
  hop.decision = decision
  if (rewrite) {
    hop.rewrite = rewrite
    hop.body = rewrite.bytes
  }
  return verdict
}
