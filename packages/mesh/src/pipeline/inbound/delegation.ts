import { chainPermits, decideLabels, verifyDelegationChain } from '@parley/identity'
import { allowed, refuse } from '@parley/protocol'
import { acceptHanded } from '../../delegation/accept-handed.ts'
import { payForTokens, priceOfChain } from '../../session/pay-for-tokens.ts'
import { maxChainsPerSession } from '../../session/session.ts'
import type { InboundHop } from '../inbound-hop.ts'
import { decideChainOrders } from '../orders.ts'
import { left, type Stage } from '../stage.ts'
import { riskOf } from './orders.ts'

/**
 * Verifies the chain that the caller acts under, that it grants the capability to be used here, and that none of its labels
 * is gone; also the chain that the caller hands on. Chains travel whole once a session, then by hash. Undo and lookup need
 * none: the participant's inbox row is their authority. `arguments` holds the input against the constraints.
 */
export const delegation: Stage<InboundHop> = {
  name: 'delegation',
  run(hop) {
    const header = left(hop.header, 'the header')
    if (header.saga !== undefined && header.saga.phase !== 'do') return allowed
    const session = left(hop.session, 'the session')
    const accepted = acceptHanded(hop.parts, session, header)
    if (accepted.kind === 'deny') return accepted
    if (accepted.handed) hop.handed = accepted.handed
    if (header.chain === undefined) return allowed
    let chain = session.chains?.get(header.chain)
    if (!chain) {
      if (!header.links) return refuse('delegation.unknown', 'the chain was not sent in this session')
      const paid = payForTokens(hop.parts, header.from, priceOfChain(header.links))
      if (paid.kind === 'deny') return paid
      const verified = verifyDelegationChain(header.links, {
        anchors: hop.parts.anchors,
        nowMs: hop.parts.clock.now(),
        delegate: session.peer,
      })
      if (verified.kind === 'deny') return verified
      if (verified.chain.hash !== header.chain)
        return refuse('delegation.invalid', 'the links are not those of the hash')
      chain = verified.chain
      const chains = (session.chains ??= new Map())
      chains.set(chain.hash, chain)
      for (const oldest of chains.keys()) {
        if (chains.size <= maxChainsPerSession) break
        chains.delete(oldest)
      }
    }
    if (hop.parts.clock.now() >= chain.expiresAtMs) return refuse('delegation.expired', 'the chain is expired')
    const ordered = decideChainOrders(hop.parts, chain, riskOf(hop))
    if (ordered.kind === 'deny') return ordered
    const verdict = chainPermits(chain, {
      capability: left(header.capability, 'the capability'),
      callee: hop.parts.ownCredential(),
    })
    if (verdict.kind === 'deny') return verdict
    hop.chain = chain
    return decideLabels(chain.labels, header.labels ?? [])
  },
}
