import type { PolicyInput } from '@parley/policy'
import { decideHop } from '../decide-hop.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import { heldDelegation, policyObjective } from '../policy-facts.ts'
import { ownTrust, policyPeer } from '../policy-input.ts'
import { left, type Stage } from '../stage.ts'

/** Decides before anything is sealed: the caller judges the callee by the same documents. */
export const policy: Stage<OutboundHop> = {
  name: 'policy',
  run(hop) {
    const { parts, contract, options } = hop
    const { capability: action, risk } = contract
    const { credential } = left(hop.peer, 'the peer')
    const input: PolicyInput = {
      action,
      direction: 'outbound',
      phase: options.saga?.phase ?? 'do',
      risk,
      caller: policyPeer(parts.ownCredential(), 'calls', action, ownTrust),
      callee: policyPeer(credential, 'serves', action, left(hop.trust, 'the trust')),
      onBehalfOf: options.onBehalfOf ?? '',
      labels: options.labels ?? [],
      obligations: [],
      delegation: heldDelegation(hop.chain),
      hop: { index: options.pathIndex ?? 0, path: [parts.name] },
      saga: {
        present: options.saga !== undefined,
        id: options.saga?.id ?? '',
        step: options.saga?.step ?? '',
        attempt: options.saga?.attempt ?? 0,
      },
      objective: policyObjective(parts, credential, action),
      body: () => hop.input,
      time: { nowMs: parts.clock.now() },
    }
    const given = (): Uint8Array => Buffer.from(JSON.stringify(hop.input) ?? '')
    const { decision, verdict, rewrite } = decideHop(parts, input, given)
    hop.decision = decision
    if (rewrite) {
      hop.rewrite = rewrite
      hop.input = rewrite.value
    }
    return verdict
  },
}
