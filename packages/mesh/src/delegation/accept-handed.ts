import { verifyDelegationChain } from '@parley/identity'
import { refuse, type EnvelopeHeader, type Refusal } from '@parley/protocol'
import type { HandedChain } from './handed-chain.ts'
import type { NodeParts } from '../node/node-parts.ts'
import { payForTokens, priceOfChain } from '../session/pay-for-tokens.ts'
import { maxChainsPerSession, type Session } from '../session/session.ts'

/**
 * Verifies the chain that a request hands to this node, once a session, and asks orders about it. Its last link must be
 * from the sender itself: a node that took another's would act for whom it was not asked by.
 */
export function acceptHanded(
  parts: NodeParts,
  session: Session,
  header: EnvelopeHeader,
): { readonly kind: 'allow'; readonly handed?: HandedChain } | Refusal {
  if (header.handed === undefined) return { kind: 'allow' }
  const known = session.handed?.get(header.handed)
  const accepted = known ? { kind: 'allow' as const, handed: known } : verifyHanded(parts, session, header)
  if (accepted.kind === 'deny') return accepted
  const { handed } = accepted
  if (parts.clock.now() >= handed.chain.expiresAtMs)
    return refuse('delegation.expired', 'the chain that was handed on is expired')
  const ordered = parts.orders.checkChain(handed.chain)
  if (ordered.kind === 'deny') return ordered
  const quarantine = parts.orders.checkChainQuarantine(handed.chain, parts.clock.now())
  if (quarantine.kind === 'deny') return quarantine
  if (!known) {
    const kept = (session.handed ??= new Map())
    kept.set(handed.chain.hash, handed)
    for (const oldest of kept.keys()) {
      if (kept.size <= maxChainsPerSession) break
      kept.delete(oldest)
    }
  }
  return accepted
}

function verifyHanded(
  parts: NodeParts,
  { peer }: Session,
  { handed, handedLinks: links }: EnvelopeHeader,
): { readonly kind: 'allow'; readonly handed: HandedChain } | Refusal {
  if (!links) return refuse('delegation.unknown', 'the handed chain was not sent in this session')
  const { anchors, clock, ownCredential } = parts
  const paid = payForTokens(parts, peer.instance, priceOfChain(links))
  if (paid.kind === 'deny') return paid
  const verified = verifyDelegationChain(links, { anchors, nowMs: clock.now(), delegate: ownCredential() })
  if (verified.kind === 'deny') return verified
  const { chain } = verified
  if (chain.hash !== handed) return refuse('delegation.invalid', 'the handed links are not those of the hash')
  const delegator = chain.agents.at(-2)
  if (delegator?.owner !== peer.owner || delegator.name !== peer.name)
    return refuse('delegation.invalid', `the last link of the handed chain is not from ${peer.name}`)
  return { kind: 'allow', handed: { chain, links } }
}
