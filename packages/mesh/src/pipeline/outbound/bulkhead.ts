import { allowed, formatAgentId } from '@parley/protocol'
import type { OutboundHop } from '../outbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Bounds the calls in flight per peer and capability, so that one slow peer cannot take all places. */
export const bulkhead: Stage<OutboundHop> = {
  name: 'bulkhead',
  run(hop) {
    const peer = formatAgentId(left(hop.peer, 'the peer').credential)
    const place = hop.parts.bulkheads.enter({ peer, capability: hop.contract.capability })
    if (place.kind === 'deny') return place
    hop.release = place.leave
    return place.ready ? place.ready.then(() => allowed) : allowed
  },
}
