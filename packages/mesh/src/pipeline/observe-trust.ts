import type { PolicyPeer } from '@parley/policy'
import type { DecidedHop } from './decide-hop.ts'
import type { ObservedHop } from './observed-hop.ts'
import { ownTrust } from './policy-input.ts'

/**
 * Decides a hop about a peer. Where trust is only observed and it alone says no, that is noted, and the hop is decided again
 * as if the peer were trusted: every other rule holds.
 */
export function decideObserving(
  hop: ObservedHop,
  capability: string,
  peer: PolicyPeer,
  decide: (peer: PolicyPeer) => DecidedHop | Promise<DecidedHop>,
): DecidedHop | Promise<DecidedHop> {
  const decided = decide(peer)
  if (hop.parts.trustMode(capability) === 'enforce') return decided
  const look = (told: DecidedHop): DecidedHop | Promise<DecidedHop> => {
    if (told.verdict.kind === 'allow' || told.verdict.code !== 'trust.below-threshold') return told
    hop.wouldRefuse = told.verdict.code
    return decide({ ...peer, ...ownTrust })
  }
  return decided instanceof Promise ? decided.then(look) : look(decided)
}
