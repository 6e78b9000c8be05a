import { allowed, type Verdict } from '@parley/protocol'
import type { InboundHop } from '../inbound-hop.ts'
import { left } from '../stage.ts'

/** Asks for orders once more, after something was waited for: they may have come meanwhile. */
export function askOrdersAgain(hop: InboundHop): Verdict {
  const { clock, orders } = hop.parts
  const { peer } = left(hop.session, 'the session')
  const { chain } = hop
  const nowMs = clock.now()
  const ordered = [
    orders.check(peer),
    orders.checkQuarantine(peer, nowMs),
    ...(chain ? [orders.checkChain(chain), orders.checkChainQuarantine(chain, nowMs)] : []),
  ]
  return ordered.find((verdict) => verdict.kind === 'deny') ?? allowed
}
