import { allowed, type Verdict } from '@parley/protocol'
import { issuerContract } from '../../issuer/issuer-contract.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import { decideOrders, isExemptFromQuarantine } from '../orders.ts'
import { left, type Stage } from '../stage.ts'

/**
 * Asks before anything is sent whether orders stand against the callee, or against this node itself. A node that is behind
 * may renew its credential all the same: with a lapsed one nobody would tell it the orders that it lacks, and what the
 * issuer gives is verified like any other credential.
 */
export const orders: Stage<OutboundHop> = {
  name: 'orders',
  run(hop) {
    const { parts, contract, options } = hop
    const risk = options.saga && options.saga.phase !== 'do' ? 'read' : contract.risk
    const isExempt = isExemptFromQuarantine(contract.capability, options.saga)
    const decide = (): Verdict => decideOrders(parts, left(hop.peer, 'the peer').credential, risk, isExempt)
    if (contract.capability === issuerContract.renew.capability) {
      const verdict = decide()
      return verdict.kind === 'deny' && verdict.code === 'identity.orders-behind' ? allowed : verdict
    }
    const pending = parts.orderFeed.catchingUp()
    return pending ? pending.then(decide) : decide()
  },
}
