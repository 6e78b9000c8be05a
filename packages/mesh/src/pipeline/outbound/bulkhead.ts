import { allowed, formatAgentId } from '@parley/protocol'
import type { OutboundHop } from '../outbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Bounds the calls in flight per peer and capability, so that one slow peer cannot take all places. */
export const bulkhead: Stage<OutboundHop> = {
  name: 'bulkhead',
  async run(hop) {
    const peer = formatAgentId(left(hop.peer, 'the peer').credential)
    const entered = await hop.parts.bulkheads.enter(peer, hop.contract.capability)
    if (entered.kind === 'deny') return entered
    hop.release = entered.release
    return allowed
  },
}
