import type { Verdict } from '@parley/protocol'
import type { OutboundHop } from '../outbound-hop.ts'
import { decideOrders } from '../orders.ts'
import { left, type Stage } from '../stage.ts'

/** Asks before anything is sent whether orders stand against the callee, or against this node itself. */
export const orders: Stage<OutboundHop> = {
  name: 'orders',
  run(hop) {
    const { parts, contract, options } = hop
    const risk = options.saga && options.saga.phase !== 'do' ? 'read' : contract.risk
    const decide = (): Verdict => decideOrders(parts, left(hop.peer, 'the peer').credential, risk)
    const pending = parts.orderFeed.catchingUp()
    return pending ? pending.then(decide) : decide()
  },
}
