import { allowed, type Risk, type Verdict } from '@parley/protocol'
import type { VerifiedChain, VerifiedCredential } from '@parley/identity'
import type { NodeParts } from '../node-parts.ts'

/** Decides whether orders stand against either side of a hop, and whether enough of them is known for its risk. */
export function decideOrders(
  { orders, ownCredential, clock }: NodeParts,
  peer: VerifiedCredential,
  risk: Risk,
): Verdict {
  const own = orders.check(ownCredential())
  if (own.kind === 'deny') return own
  const verdict = orders.check(peer)
  return verdict.kind === 'deny' ? verdict : orders.checkKnown([peer.owner], risk, clock.now())
}

/** The same for everybody who signed a link of a chain, or got one. */
export function decideChainOrders({ orders, clock }: NodeParts, chain: VerifiedChain, risk: Risk): Verdict {
  const verdict = orders.checkChain(chain)
  if (verdict.kind === 'deny') return verdict
  const owners = new Set([...chain.links, ...chain.agents].map(({ owner }) => owner))
  return chain.links.length === 0 ? allowed : orders.checkKnown(owners, risk, clock.now())
}
