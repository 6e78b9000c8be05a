import { allowed, formatAgentId } from '@parley/protocol'
import { verdictOf } from '@parley/reliability'
import type { OutboundHop } from '../outbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Refuses at once what the peer's breaker holds back. Undo and lookup pass: compensation never hangs on it. */
export const breaker: Stage<OutboundHop> = {
  name: 'breaker',
  run(hop) {
    const phase = hop.options.saga?.phase ?? 'do'
    const admission = hop.parts.reliability.admit({
      peer: formatAgentId(left(hop.peer, 'the peer').credential),
      capability: hop.contract.capability,
      phase: phase === 'do' ? 'forward' : phase,
    })
    if (admission.kind === 'deny') return admission
    hop.settleBreaker = (outcome, durationMs) => {
      admission.pass.settle({ verdict: verdictOf(outcome), durationMs })
    }
    return allowed
  },
}
