import { capabilityCovers, type Capability } from '@parley/protocol'
import type { VerifiedCredential } from '@parley/identity'
import type { PolicyPeer } from '@parley/policy'
import type { EffectiveTrust } from './effective-trust.ts'

/** Describes one side of a hop to the policy: who it is, how far it is trusted, and what its credential grants. */
export function policyPeer(
  credential: VerifiedCredential,
  side: 'serves' | 'calls',
  capability: Capability,
  trust: Pick<EffectiveTrust, 'score' | 'tier'>,
): PolicyPeer {
  const grants = credential[side].filter((pattern) => capabilityCovers(pattern, capability))
  return {
    name: credential.name,
    owner: credential.owner,
    instance: credential.instance,
    kind: credential.agentKind,
    assurance: credential.signIn?.assurance ?? 0,
    tier: trust.tier,
    score: trust.score,
    grants: grants.length > 0,
    grantsByName: grants.some((pattern) => !pattern.endsWith('*')),
  }
}

/** A node's trust in itself: it is bound by its own rules, not by its own score. */
export const ownTrust: { readonly score: number; readonly tier: 'verified' } = { score: 1_000, tier: 'verified' }
