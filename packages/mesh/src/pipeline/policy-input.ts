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

interface Asked extends Grants {
  readonly side: 'serves' | 'calls'
  readonly capability: Capability
}

/** What a credential grants never changes, and every hop asks, mostly for the same few. Lives as long as the credential. */
const granted = new WeakMap<VerifiedCredential, Asked[]>()
const maxKeptGrants = 32

function grantsOf(credential: VerifiedCredential, side: 'serves' | 'calls', capability: Capability): Grants {
  const before = granted.get(credential)
  const known = before?.find((asked) => asked.capability === capability && asked.side === side)
  if (known) return known
  const patterns = credential[side].filter((pattern) => capabilityCovers(pattern, capability))
  const grantsByName = patterns.some((pattern) => !pattern.endsWith('*'))
  const found = { side, capability, grants: patterns.length > 0, grantsByName }
  if (!before) granted.set(credential, [found])
  else if (before.length < maxKeptGrants) before.push(found)
  return found
}
