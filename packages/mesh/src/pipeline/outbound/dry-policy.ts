import { decidePolicy } from '@parley/policy'
import { refuse } from '@parley/protocol'
import type { OutboundHop } from '../outbound-hop.ts'
import type { Stage } from '../stage.ts'
import { describeOutbound } from './policy.ts'

/** Decides as `policy` does, but takes from no limit, asks nobody and leaves nothing behind. */
export const dryPolicy: Stage<OutboundHop> = {
  name: 'policy',
  run(hop) {
    const { parts } = hop
    const input = describeOutbound(hop)
    const decision = decidePolicy(parts.policy(), input)
    hop.decision = decision
    const { document, rule } = decision
    if (decision.kind === 'deny') return refuse(decision.code, decision.reason, { rule: `${document}#${rule}` })
    const { caller, action } = input
    return parts.limits.peek(decision.limits, { agent: `${caller.owner} ${caller.name}`, action })
  },
}
