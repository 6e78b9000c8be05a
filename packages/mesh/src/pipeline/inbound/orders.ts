import type { Risk, Verdict } from '@parley/protocol'
import type { InboundHop } from '../inbound-hop.ts'
import { decideOrders, isExemptFromQuarantine } from '../orders.ts'
import { peerOf } from '../peer-of.ts'
import type { Stage } from '../stage.ts'

/**
 * Asks at every hop whether an owner's order took the credential, the instance or the name back, or put it in
 * quarantine, and whether enough of its orders is known for the risk. A node that was away first hears what it missed.
 */
export const orders: Stage<InboundHop> = {
  name: 'orders',
  run(hop) {
    // Whether enough is known was asked before the request was sent; of an answer only what is known counts.
    if (hop.header?.type !== 'request' && hop.header?.type !== 'event') return hop.parts.orders.check(peerOf(hop))
    const isExempt = isExemptFromQuarantine(hop.header.capability, hop.header.saga)
    const decide = (): Verdict => decideOrders(hop.parts, peerOf(hop), riskOf(hop), isExempt)
    const pending = hop.parts.orderFeed.catchingUp()
    return pending ? pending.then(decide) : decide()
  },
}

/** A way back needs no fresher word than reading does: it must not hang on what a way forward asks for. */
export function riskOf({ parts, header }: InboundHop): Risk {
  if (header?.capability === undefined || (header.saga && header.saga.phase !== 'do')) return 'read'
  return parts.served.get(header.capability)?.contract.risk ?? 'read'
}
