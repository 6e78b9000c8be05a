import { type Did, type Risk, type Verdict } from '@parley/protocol'
import type { VerifiedChain, VerifiedCredential } from '@parley/identity'
import { issuerContract } from '../issuer/issuer-contract.ts'
import type { NodeParts } from '../node/node-parts.ts'
import type { SagaCommand } from '../calling/saga-command.ts'

/**
 * Decides whether orders stand against either side of a hop, and whether enough of them is known for its risk. With
 * `isExempt` a quarantine does not count.
 */
export function decideOrders(parts: NodeParts, peer: VerifiedCredential, risk: Risk, isExempt: boolean): Verdict {
  for (const credential of [parts.ownCredential(), peer]) {
    const verdict = decideOrdersAgainst(parts, credential, isExempt)
    if (verdict.kind === 'deny') return verdict
  }
  return parts.orders.checkKnown([peer.owner], risk, parts.clock.now())
}

/** Decides whether an order that is held stands against one side of a hop. With `isExempt` a quarantine does not count. */
export function decideOrdersAgainst(
  { orders, clock }: NodeParts,
  credential: VerifiedCredential,
  isExempt: boolean,
): Verdict {
  const verdict = orders.check(credential)
  return verdict.kind === 'deny' || isExempt ? verdict : orders.checkQuarantine(credential, clock.now())
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
  return orders.checkKnown(ownersOf(chain), risk, nowMs)
}

/** Who signed and who was handed a chain never changes, and every hop asks. */
const known = new WeakMap<VerifiedChain, ReadonlySet<Did>>()

function ownersOf(chain: VerifiedChain): ReadonlySet<Did> {
  let owners = known.get(chain)
  if (!owners) {
    owners = new Set(chain.links.length === 0 ? [] : [...chain.links, ...chain.agents].map(({ owner }) => owner))
    known.set(chain, owners)
  }
  return owners
}
