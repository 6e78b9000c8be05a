import type { InboundHop } from '../inbound-hop.ts'
import { peerOf } from '../peer-of.ts'
import type { Stage } from '../stage.ts'

/** Asks at every hop whether an owner's order took the credential, the instance or the name back. */
export const orders: Stage<InboundHop> = {
  name: 'orders',
  run: (hop) => hop.parts.orders.check(peerOf(hop)),
}
