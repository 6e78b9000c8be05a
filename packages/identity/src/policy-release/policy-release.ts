import type { Signer } from '@parley/ports'
import { type Did, MeshError, refuse, type Refusal } from '@parley/protocol'
import { isNamePattern, namePatternsCover } from '../credential/name-pattern.ts'
import type { Anchors } from '../credential/anchor.ts'
import { isListClaim, toClaimSeconds } from '../jwt/claim.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { verifyJwt } from '../jwt/verify-jwt.ts'

/** What an owner says of a set of policy documents. */
export interface PolicyRelease {
  /** Hash of the set, as its compiler computes it: 32 bytes in base64url. */
  readonly policy: string
  /** Grows with every release that nodes shall take: none of a lower number comes after it. At least 1. */
  readonly number: number
  /** The agents that it is for: names, or `alias/*`. */
  readonly agents: readonly string[]
  readonly issuedAtMs: number
}

/** A release that was proven to be its owner's. */
export interface VerifiedPolicyRelease extends PolicyRelease {
  readonly owner: Did
}

/** A release is no lease: what ends it is the next one. */
const releaseLifeMs = 10 * 365 * 86_400_000
const hashPattern = /^[A-Za-z0-9_-]{43}$/
const maxAgents = 64

/** Signs a release with the owner's key. Rejects with `identity.jwt-invalid` for a malformed one. */
export async function signPolicyRelease(
  owner: Signer,
  { policy, number, agents, issuedAtMs }: PolicyRelease,
): Promise<string> {
  if (!isHash(policy) || !isNumber(number) || !isAgents(agents))
    throw new MeshError('identity.jwt-invalid', `the release ${String(number)} of the policy ${policy} is malformed`)
  const iat = toClaimSeconds(issuedAtMs)
  return signJwt(owner, jwtTypes.policyRelease, {
    iat,
    exp: toClaimSeconds(issuedAtMs + releaseLifeMs),
    policy,
    number,
    agents,
  })
}

/**
 * Verifies that an owner released a policy for an agent. Whether it is the policy that is about to be loaded, and whether its
 * number grew, is for who loads it. Codes: those of `verifyJwt`, and `policy.not-signed` for another agent.
 */
export function verifyPolicyRelease(
  token: string,
  expected: { readonly owner: Did; readonly agent: string; readonly anchors: Anchors; readonly nowMs: number },
): { readonly kind: 'allow'; readonly release: VerifiedPolicyRelease } | Refusal {
  const { owner, agent, anchors, nowMs } = expected
  const verdict = verifyJwt(token, { typ: jwtTypes.policyRelease, nowMs, issuer: owner, ownerKeys: anchors.keysOf })
  if (verdict.kind === 'deny') return verdict
  const { iss, iat, policy, number, agents } = verdict.claims
  if (!isHash(policy) || !isNumber(number) || !isAgents(agents))
    return refuse('identity.jwt-invalid', 'the claims of the release are malformed')
  if (!namePatternsCover(agents, agent))
    return refuse('policy.not-signed', `the release is for ${agents.join(', ')}, not for ${agent}`)
  return { kind: 'allow', release: { owner: iss, policy, number, agents, issuedAtMs: iat * 1000 } }
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && hashPattern.test(value)
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1
}

function isAgents(value: unknown): value is readonly string[] {
  return isListClaim(value, isNamePattern) && value.length >= 1 && value.length <= maxAgents
}
