import { decideArguments } from '@parley/identity'
import type { PolicyInput, PolicyPeer } from '@parley/policy'
import { allowed, refuse, type Verdict } from '@parley/protocol'
import { payForTokens } from '../../session/pay-for-tokens.ts'
import { decideHop, type DecidedHop } from '../decide-hop.ts'
import { obligationsOf } from '../../policy/obligations.ts'
import type { InboundHop } from '../inbound-hop.ts'
import { policyDelegation, policyObjective } from '../policy-facts.ts'
import { decideObserving } from '../observe-trust.ts'
import { ownTrust, policyPeer } from '../policy-input.ts'
import { readBody } from '../read-body.ts'
import { left, type Stage } from '../stage.ts'

/** Decides before anything is delivered. */
export const policy: Stage<InboundHop> = {
  name: 'policy',
  run(hop) {
    const { parts, chain } = hop
    const header = left(hop.header, 'the header')
    const action = left(header.capability, 'the capability')
    const served = parts.served.get(action)
    if (!served) return refuse('contract.capability-unknown', `${action} is not served here`)
    const { peer } = left(hop.session, 'the session')
    const answers = header.approvals ?? []
    // A declaration, the credential in it, and the statement in that.
    const paid = answers.length === 0 ? allowed : payForTokens(parts, header.from, 3 * answers.length)
    if (paid.kind === 'deny') return paid
    const original = (): Uint8Array => left(hop.body, 'the body')
    const input: PolicyInput = {
      action,
      direction: 'inbound',
      phase: header.saga?.phase ?? 'do',
      risk: served.contract.risk,
      caller: policyPeer(peer, 'calls', action, left(hop.trust, 'the trust')),
      callee: policyPeer(parts.ownCredential(), 'serves', action, ownTrust),
      onBehalfOf: header.onBehalfOf ?? '',
      labels: header.labels ?? [],
      obligations: obligationsOf(header.labels),
      delegation: policyDelegation(chain),
      hop: { index: header.pathIndex ?? 0, path: chain ? chain.agents.map(({ name }) => name) : [peer.name] },
      saga: {
        present: header.saga !== undefined,
        id: header.saga?.id ?? '',
        step: header.saga?.step ?? '',
        attempt: header.saga?.attempt ?? 0,
      },
      objective: policyObjective(parts, peer, action),
      body: () => left(readBody(hop), 'a body of JSON').value,
      time: { nowMs: parts.clock.now() },
    }
    const decide = (caller: PolicyPeer) => decideHop(parts, { ...input, caller }, { hop: header.id, original, answers })
    const decided = decideObserving(hop, action, input.caller, decide)
    return decided instanceof Promise ? decided.then((told) => takeDecision(hop, told)) : takeDecision(hop, decided)
  },
}

function takeDecision(hop: InboundHop, { decision, verdict, rewrite, approval }: DecidedHop): Verdict {
  const { chain } = hop
  hop.decision = decision
  if (approval) hop.approval = approval
  if (verdict.kind === 'deny' || !rewrite) return verdict
  hop.rewrite = rewrite
  hop.body = rewrite.bytes
  hop.json = rewrite
  // What is acted on must keep within the chain too.
  return chain ? decideArguments(chain.constraints, rewrite.value) : verdict
}
