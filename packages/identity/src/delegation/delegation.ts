import type { Signer } from '@parley/ports'
import {
  type AgentId,
  createCoverage,
  type Did,
  isCapability,
  MeshError,
  refuse,
  type Refusal,
  type Verdict,
} from '@parley/protocol'
import type { PresentedCredential } from '../credential/verify-credential.ts'
import { isIdClaim, isListClaim, isSecondsClaim, toClaimSeconds } from '../jwt/claim.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { type DecodedJwt, decodeJwt, type OwnerKeys } from '../jwt/verify-jwt.ts'
import { type Allowance, allowanceNarrows, isAgentId, readAllowance } from './allowance.ts'
import { decideLabels, isLabelSet } from './labels.ts'
import { hashChain } from './chain-hash.ts'
import { type Constraints, constraintsNarrow, mergeConstraints, readConstraints } from './constraints.ts'

/** What one link hands on. */
export interface Delegation {
  /** Random, so that no two links are the same; names the link in orders. */
  readonly id: string
  /** Who receives. */
  readonly delegate: AgentId
  /** Whole capabilities: a pattern is invalid in a delegation. `flights:reserve` includes `flights:reserve:sfo`. */
  readonly capabilities: readonly string[]
  readonly constraints?: Constraints
  /** Bounds what the delegate may spend; a link below it hands on a part. */
  readonly allowance?: Allowance
  /** Labels that everything done under the link must carry. Further links and requests add to them, never take away. */
  readonly labels?: readonly string[]
  readonly notBeforeMs: number
  readonly expiresAtMs: number
}

/** The agent that hands on, and the proof that its instance key may speak for it. */
export interface Delegator extends PresentedCredential {
  readonly signer: Signer
  readonly agent: AgentId
}

/** A link as it was read; nothing about it is proven. */
export interface DecodedDelegation extends Delegation {
  readonly jwt: DecodedJwt
  readonly signer: Did
  readonly constraints: Constraints
  readonly labels: readonly string[]
  /** An owner's DID at the root, an agent below. */
  readonly delegator: Did | AgentId
  /** Hash of the links above; absent at the root. */
  readonly parent?: string
  /** Proof that the signer speaks for the delegator; absent at the root. */
  readonly presented?: PresentedCredential
}

/** Signs the first link of a chain with an owner's key and returns the chain. Rejects with `delegation.invalid`. */
export async function signDelegation(owner: Signer, delegation: Delegation): Promise<readonly string[]> {
  return [await signLink(owner, delegation, { delegator: owner.did })]
}

/**
 * Signs a further link with an agent's instance key and returns the longer chain. The constraints of the last link are
 * carried over. Rejects with `delegation.widened` for more than the last link grants, `delegation.invalid` for a malformed
 * grant; whether the chain itself holds is for `verifyDelegationChain` to say.
 */
export async function extendDelegation(
  chain: readonly string[],
  delegation: Delegation,
  delegator: Delegator,
): Promise<readonly string[]> {
  const last = chain.at(-1)
  if (last === undefined)
    throw new MeshError('delegation.invalid', 'an empty chain cannot be extended; start with an owner')
  // Nothing is believed here, so any owner may have signed.
  const parent = decodeDelegation(last, delegation.notBeforeMs, (owner) => [owner])
  if (parent.kind === 'deny') throw new MeshError(parent.code, parent.reason)
  const constraints = mergeConstraints(parent.delegation.constraints, delegation.constraints ?? {})
  const labels = [...new Set([...parent.delegation.labels, ...(delegation.labels ?? [])])]
  const narrowed = { ...delegation, constraints, labels }
  const verdict = decideNarrowing(parent.delegation, {
    ...narrowed,
    notBeforeMs: toClaimSeconds(delegation.notBeforeMs) * 1000,
    expiresAtMs: toClaimSeconds(delegation.expiresAtMs) * 1000,
  })
  if (verdict.kind === 'deny') throw new MeshError(verdict.code, verdict.reason)
  const link = await signLink(delegator.signer, narrowed, {
    delegator: { owner: delegator.agent.owner, name: delegator.agent.name },
    parent: hashChain(chain),
    credential: delegator.credential,
    statement: delegator.statement,
  })
  return [...chain, link]
}

/**
 * Reads one link without checking its signature. Codes: `delegation.invalid`, `delegation.expired`, and
 * `delegation.constraint-unknown` for a condition that is not understood here.
 */
export function decodeDelegation(
  link: string,
  nowMs: number,
  ownerKeys?: OwnerKeys,
): { readonly kind: 'allow'; readonly delegation: DecodedDelegation } | Refusal {
  const verdict = decodeJwt(link, { typ: jwtTypes.delegation, nowMs, ...(ownerKeys ? { ownerKeys } : {}) })
  if (verdict.kind === 'deny') {
    const code = verdict.code === 'identity.jwt-expired' ? 'delegation.expired' : 'delegation.invalid'
    return refuse(code, verdict.reason)
  }
  const { iss, nbf, exp, jti, delegator, delegate, capabilities, labels, parent, credential, statement } =
    verdict.jwt.claims
  if (
    !isIdClaim(jti) ||
    !isSecondsClaim(nbf) ||
    !isAgentId(delegate) ||
    !isListClaim(capabilities, isCapability) ||
    capabilities.length === 0 ||
    !(labels === undefined || isLabelSet(labels))
  ) {
    return refuse('delegation.invalid', 'the claims of the link are malformed, or it grants a pattern or nothing')
  }
  const read = readConstraints(verdict.jwt.claims['constraints'])
  if (read.kind === 'deny') return read
  const bounded = readAllowance(verdict.jwt.claims['allowance'])
  if (bounded.kind === 'deny') return bounded
  const granted = {
    jwt: verdict.jwt,
    signer: iss,
    id: jti,
    delegate,
    capabilities,
    constraints: read.constraints,
    ...(bounded.allowance ? { allowance: bounded.allowance } : {}),
    labels: labels ?? [],
    notBeforeMs: nbf * 1000,
    expiresAtMs: exp * 1000,
  }
  if (parent === undefined && credential === undefined && statement === undefined && delegator === iss) {
    return { kind: 'allow', delegation: { ...granted, delegator: iss } }
  }
  if (
    typeof parent !== 'string' ||
    typeof credential !== 'string' ||
    typeof statement !== 'string' ||
    !isAgentId(delegator)
  ) {
    return refuse(
      'delegation.invalid',
      'the link is neither an owner’s first nor an agent’s with parent and credential',
    )
  }
  return {
    kind: 'allow',
    delegation: { ...granted, delegator, parent, presented: { credential, statement } },
  }
}

/**
 * Decides whether a link grants no more than the link above: capabilities, constraints, allowance and time only narrow,
 * labels only grow.
 */
export function decideNarrowing(parent: Delegation, child: Delegation): Verdict {
  const isGranted = createCoverage(parent.capabilities)
  const extra = child.capabilities.find((capability) => !isGranted(capability))
  if (extra !== undefined) return refuse('delegation.widened', `the link grants ${extra}, which its parent does not`)
  if (!constraintsNarrow(parent.constraints ?? {}, child.constraints ?? {})) {
    return refuse('delegation.widened', 'the link drops or loosens a constraint of its parent')
  }
  if (!allowanceNarrows(parent.allowance, child.allowance)) {
    return refuse('delegation.widened', 'the link may spend more, or elsewhere, than its parent')
  }
  if (child.expiresAtMs > parent.expiresAtMs || child.notBeforeMs < parent.notBeforeMs) {
    return refuse('delegation.widened', 'the link holds at a time when its parent does not')
  }
  return decideLabels(parent.labels ?? [], child.labels ?? [])
}

async function signLink(
  signer: Signer,
  delegation: Delegation,
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { id, delegate, capabilities, constraints, allowance, labels = [], notBeforeMs, expiresAtMs } = delegation
  if (
    !isAgentId({ ...delegate }) ||
    capabilities.length === 0 ||
    !capabilities.every(isCapability) ||
    !isLabelSet(labels)
  ) {
    throw new MeshError(
      'delegation.invalid',
      'a link names an agent and at least one whole capability (patterns stand only in credentials), and labels are a set',
    )
  }
  for (const read of [readConstraints(constraints), readAllowance(allowance)])
    if (read.kind === 'deny') throw new MeshError(read.code, read.reason)
  return signJwt(signer, jwtTypes.delegation, {
    iat: toClaimSeconds(notBeforeMs),
    nbf: toClaimSeconds(notBeforeMs),
    exp: toClaimSeconds(expiresAtMs),
    jti: id,
    delegate: { owner: delegate.owner, name: delegate.name },
    capabilities,
    constraints,
    allowance,
    labels: labels.length === 0 ? undefined : labels,
    ...claims,
  })
}
