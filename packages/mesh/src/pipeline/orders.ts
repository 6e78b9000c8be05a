import { allowed, type Risk, type Verdict } from '@parley/protocol'
import type { VerifiedChain, VerifiedCredential } from '@parley/identity'
import { issuerContract } from '../issuer/issuer-contract.ts'
import type { NodeParts } from '../node-parts.ts'
import type { SagaCommand } from '../saga-command.ts'

/**
 * Decides whether orders stand against either side of a hop, and whether enough of them is known for its risk. With
 * `isExempt` a quarantine does not count.
 */
export function decideOrders(
  { orders, ownCredential, clock }: NodeParts,
  peer: VerifiedCredential,
  risk: Risk,
  isExempt: boolean,
): Verdict {
  const nowMs = clock.now()
  for (const credential of [ownCredential(), peer]) {
    const verdict = orders.check(credential)
    if (verdict.kind === 'deny') return verdict
    const quarantine = isExempt ? allowed : orders.checkQuarantine(credential, nowMs)
    if (quarantine.kind === 'deny') return quarantine
  }
  return orders.checkKnown([peer.owner], risk, nowMs)
}

/**
 * Tells whether a quarantine leaves a hop alone: what was begun before it can be looked up and undone, and for that a
 * credential has to be renewed. Nothing new begins.
 */
export function isExemptFromQuarantine(
  capability: string | undefined,
  saga: Pick<SagaCommand, 'phase'> | undefined,
): boolean {
  return capability === issuerContract.renew.capability || (saga !== undefined && saga.phase !== 'do')
}

/** The same for everybody who signed a link of a chain, or got one. Ways back have no chain. */
export function decideChainOrders({ orders, clock }: NodeParts, chain: VerifiedChain, risk: Risk): Verdict {
  const nowMs = clock.now()
  const revoked = orders.checkChain(chain)
  const verdict = revoked.kind === 'deny' ? revoked : orders.checkChainQuarantine(chain, nowMs)
  if (verdict.kind === 'deny') return verdict
  const owners = new Set([...chain.links, ...chain.agents].map(({ owner }) => owner))
  return chain.links.length === 0 ? allowed : orders.checkKnown(owners, risk, nowMs)
}
