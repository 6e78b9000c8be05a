import type { PolicyInput, PolicyPeer } from '@parley/policy'
import type { Verdict } from '@parley/protocol'
import { decideHop, type DecidedHop } from '../decide-hop.ts'
import { obligationsOf, withObligations } from '../../policy/obligations.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import { heldDelegation, policyObjective } from '../policy-facts.ts'
import { decideObserving } from '../observe-trust.ts'
import { ownTrust, policyPeer } from '../policy-input.ts'
import { left, type Stage } from '../stage.ts'

/** Decides before anything is sealed: the caller judges the callee by the same documents. */
export const policy: Stage<OutboundHop> = {
  name: 'policy',
  run(hop) {
    const { parts, options } = hop
    const input = describeOutbound(hop)
    const original = (): Uint8Array => Buffer.from(JSON.stringify(hop.input) ?? '')
    const on = { hop: hop.id, original, answers: options.approvals }
    const decide = (callee: PolicyPeer) => decideHop(parts, { ...input, callee }, on)
    const decided = decideObserving(hop, input.action, input.callee, decide)
    return decided instanceof Promise ? decided.then((told) => takeDecision(hop, told)) : takeDecision(hop, decided)
  },
}

/** Describes a call to the policy, once its peer and trust are known. */
export function describeOutbound(hop: OutboundHop): PolicyInput {
  const { parts, contract, options } = hop
  const { capability: action, risk } = contract
  const { credential } = left(hop.peer, 'the peer')
  return {
    action,
    direction: 'outbound',
    phase: options.saga?.phase ?? 'do',
    risk,
    caller: policyPeer(parts.ownCredential(), 'calls', action, ownTrust),
    callee: policyPeer(credential, 'serves', action, left(hop.trust, 'the trust')),
    onBehalfOf: options.onBehalfOf ?? '',
    labels: options.labels ?? [],
    obligations: obligationsOf(options.labels),
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
}

function takeDecision(hop: OutboundHop, { decision, verdict, rewrite, approval }: DecidedHop): Verdict {
  hop.decision = decision
  if (approval) hop.approval = approval
  if (decision.kind === 'allow' && decision.obligations.length > 0)
    hop.options = { ...hop.options, labels: withObligations(hop.options.labels, decision.obligations) }
  if (rewrite) {
    hop.rewrite = rewrite
    hop.input = rewrite.value
  }
  return verdict
}
