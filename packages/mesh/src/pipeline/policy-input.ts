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
  const { grants, grantsByName } = grantsOf(credential, side, capability)
  return {
    name: credential.name,
    owner: credential.owner,
    instance: credential.instance,
    kind: credential.agentKind,
    assurance: credential.signIn?.assurance ?? 0,
    tier: trust.tier,
    score: trust.score,
    grants,
    grantsByName,
  }
}

/** A node's trust in itself: it is bound by its own rules, not by its own score. */
export const ownTrust: { readonly score: number; readonly tier: 'verified' } = { score: 1_000, tier: 'verified' }

interface Grants {
  readonly grants: boolean
  readonly grantsByName: boolean
}

/** What a credential grants never changes, and every hop asks. Bounded by the credential's own life. */
const granted = new WeakMap<VerifiedCredential, Map<string, Grants>>()
const maxKeptGrants = 256

function grantsOf(credential: VerifiedCredential, side: 'serves' | 'calls', capability: Capability): Grants {
  let bySide = granted.get(credential)
  if (!bySide) {
    bySide = new Map()
    granted.set(credential, bySide)
  }
  const key = `${side} ${capability}`
  const known = bySide.get(key)
  if (known) return known
  const patterns = credential[side].filter((pattern) => capabilityCovers(pattern, capability))
  const found = { grants: patterns.length > 0, grantsByName: patterns.some((pattern) => !pattern.endsWith('*')) }
  if (bySide.size < maxKeptGrants) bySide.set(key, found)
  return found
}
