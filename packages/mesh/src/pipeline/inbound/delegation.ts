import { chainGrants, decideLabels, verifyDelegationChain } from '@parley/identity'
import { allowed, refuse } from '@parley/protocol'
import { maxChainsPerSession } from '../../session.ts'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/**
 * Verifies the chain that the caller acts under, and that it grants the capability. Chains travel whole once a session,
 * then by hash. Undo and lookup need none: the participant's inbox row is their authority.
 */
export const delegation: Stage<InboundHop> = {
  name: 'delegation',
  run(hop) {
    const header = left(hop.header, 'the header')
    if (header.chain === undefined || (header.saga !== undefined && header.saga.phase !== 'do')) return allowed
    const session = left(hop.session, 'the session')
    let chain = session.chains?.get(header.chain)
    if (!chain) {
      if (!header.links) return refuse('delegation.unknown', 'the chain was not sent in this session')
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
    // Undecided is denied: nothing here can hold the arguments of a call against them yet.
    if (Object.keys(chain.constraints).length > 0)
      return refuse('delegation.invalid', 'the chain has constraints, which this node cannot judge')
    if (hop.parts.clock.now() >= chain.expiresAtMs) return refuse('delegation.expired', 'the chain is expired')
    const ordered = hop.parts.orders.checkChain(chain)
    if (ordered.kind === 'deny') return ordered
    const verdict = chainGrants(chain, left(header.capability, 'the capability'))
    if (verdict.kind === 'deny') return verdict
    hop.chain = chain
    return decideLabels(chain.labels, header.labels ?? [])
  },
}
