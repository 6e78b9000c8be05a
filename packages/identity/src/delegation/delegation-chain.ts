import {
  type AgentId,
  allowed,
  capabilityCovers,
  type Did,
  isCapability,
  limits,
  refuse,
  type Refusal,
  type Verdict,
} from '@parley/protocol'
import type { Anchors } from '../credential/anchor.ts'
import { type CapabilityScope, scopeCovers } from '../credential/capability-scope.ts'
import { type VerifiedCredential, verifyCredential } from '../credential/verify-credential.ts'
import { isJwtSigned } from '../jwt/verify-jwt.ts'
import { hashChain } from './chain-hash.ts'
import type { Allowance } from './allowance.ts'
import type { Constraints } from './constraints.ts'
import { type DecodedDelegation, decideNarrowing, decodeDelegation } from './delegation.ts'

/** One link of a chain that was proven. */
export interface VerifiedLink {
  /** The link's id and the owner under whose name it was signed: what an order can revoke. */
  readonly id: string
  readonly owner: Did
  /** Hash of the chain down to this link: no other link of any chain has it. */
  readonly hash: string
  readonly allowance?: Allowance
}

/** A chain that was proven. Whether an order revoked a part of it, and whether it is expired by now, is asked at every hop. */
export interface VerifiedChain {
  /** The chain's name, as headers carry it. */
  readonly hash: string
  /** The owner that signed the first link. */
  readonly root: Did
  /** What the anchor of the root lets it be the root of. */
  readonly roots: CapabilityScope
  /** The delegates from the root to the last; the last one acts. */
  readonly agents: readonly AgentId[]
  /** What the last link grants. */
  readonly capabilities: readonly string[]
  /** All constraints of the chain; every one must hold. */
  readonly constraints: Constraints
  /** Labels that a request under the chain must carry. */
  readonly labels: readonly string[]
  /** The earliest expiry of a link or of a credential in it. */
  readonly expiresAtMs: number
  readonly depth: number
  readonly links: readonly VerifiedLink[]
  /** The credentials with which agents signed links. */
  readonly credentials: readonly VerifiedCredential[]
}

/** Against what a chain is verified. */
export interface ChainExpectation {
  readonly anchors: Anchors
  readonly nowMs: number
  /** Who acts under the chain, as its own credential proved. */
  readonly delegate: AgentId
}

/**
 * Verifies a chain from root to leaf. The first link is signed by an anchored owner, every further one by an instance whose
 * credential, valid now, names the delegate of the link above; each binds the links above by their hash and only narrows
 * them; the last one names `delegate`. Codes: `delegation.too-deep`, `.invalid`, `.expired`, `.widened`,
 * `.wrong-delegate`, `.constraint-unknown`, and `identity.owner-unknown` for a party that no anchor accepts.
 */
export function verifyDelegationChain(
  links: readonly string[],
  expected: ChainExpectation,
): { readonly kind: 'allow'; readonly chain: VerifiedChain } | Refusal {
  const { anchors, nowMs, delegate } = expected
  if (links.length > limits.chainLinks) {
    return refuse(
      'delegation.too-deep',
      `the chain has ${links.length} links; at most ${limits.chainLinks} are allowed`,
    )
  }
  const decoded: DecodedDelegation[] = []
  for (const [index, link] of links.entries()) {
    const verdict = decodeDelegation(link, nowMs, anchors.keysOf)
    if (verdict.kind === 'deny') return at(index, verdict)
    const parent = decoded.at(-1)
    const place = parent ? decidePlace(verdict.delegation, parent, links.slice(0, index)) : allowed
    if (place.kind === 'deny') return at(index, place)
    decoded.push(verdict.delegation)
  }
  const [root] = decoded
  const leaf = decoded.at(-1)
  if (!root || !leaf) return refuse('delegation.invalid', 'the chain has no links')
  if (!isSameAgent(leaf.delegate, delegate)) {
    return refuse('delegation.wrong-delegate', `the chain was given to ${leaf.delegate.name}, not to ${delegate.name}`)
  }
  if (root.presented) return at(0, refuse('delegation.invalid', 'the first link is not an owner’s'))
  const anchor = anchors.ofOwner(root.signer)
  if (!anchor) return at(0, refuse('identity.owner-unknown', `no anchor accepts the root ${root.signer}`))
  const credentials: VerifiedCredential[] = []
  for (const [index, link] of decoded.entries()) {
    const signer = decideSigner(link, decoded[index - 1], expected)
    if (signer.kind === 'deny') return at(index, signer)
    if (!isJwtSigned(link.jwt)) return at(index, refuse('delegation.invalid', `it is not signed by ${link.signer}`))
    if (signer.credential) credentials.push(signer.credential)
  }
  return {
    kind: 'allow',
    chain: {
      hash: hashChain(links),
      root: root.signer,
      roots: anchor.roots,
      agents: decoded.map((link) => link.delegate),
      capabilities: leaf.capabilities,
      constraints: leaf.constraints,
      labels: leaf.labels,
      expiresAtMs: Math.min(leaf.expiresAtMs, ...credentials.map((credential) => credential.expiresAtMs)),
      depth: links.length,
      links: decoded.map(({ id, delegator, allowance }, index) => ({
        id,
        owner: typeof delegator === 'string' ? delegator : delegator.owner,
        hash: hashChain(links.slice(0, index + 1)),
        ...(allowance ? { allowance } : {}),
      })),
      credentials,
    },
  }
}

/**
 * Decides whether a chain grants a capability here: its last link must (`delegation.not-granted`), and the anchor of its
 * root must let that owner grant it (`delegation.root-not-accepted`). The sender's own credential is a second condition,
 * asked elsewhere: the right to act is what both grant.
 */
export function chainGrants(chain: VerifiedChain, capability: string): Verdict {
  if (!isCapability(capability) || !chain.capabilities.some((granted) => capabilityCovers(granted, capability))) {
    return refuse('delegation.not-granted', `the chain does not grant ${capability}`)
  }
  if (!scopeCovers(chain.roots, capability)) {
    return refuse(
      'delegation.root-not-accepted',
      `the anchor of ${chain.root} does not let it be the root of ${capability}`,
    )
  }
  return allowed
}

/**
 * Decides whether a chain lets its delegate use a capability at this callee: as `chainGrants`, then that no allowance is for
 * another callee (`delegation.wrong-callee`). The input is held against its constraints by `decideArguments`.
 */
export function chainPermits(
  chain: VerifiedChain,
  request: { readonly capability: string; readonly callee: AgentId },
): Verdict {
  const granted = chainGrants(chain, request.capability)
  if (granted.kind === 'deny') return granted
  const elsewhere = chain.links.find(({ allowance }) => allowance?.at && !isSameAgent(allowance.at, request.callee))
  return elsewhere
    ? refuse('delegation.wrong-callee', `the allowance of the link ${elsewhere.id} is for another agent`)
    : allowed
}

/** Decides what links prove of each other without a signature. */
function decidePlace(link: DecodedDelegation, parent: DecodedDelegation, above: readonly string[]): Verdict {
  if (typeof link.delegator === 'string' || !isSameAgent(link.delegator, parent.delegate)) {
    return refuse('delegation.invalid', `its delegator is not ${parent.delegate.name}, the delegate of the link above`)
  }
  if (link.parent !== hashChain(above)) return refuse('delegation.invalid', 'it was signed under another chain')
  return decideNarrowing(parent, link)
}

/** Decides whether the key that signed a link speaks for its delegator. */
function decideSigner(
  link: DecodedDelegation,
  parent: DecodedDelegation | undefined,
  { anchors, nowMs }: ChainExpectation,
): { readonly kind: 'allow'; readonly credential?: VerifiedCredential } | Refusal {
  if (!parent) return allowed
  if (!link.presented) return refuse('delegation.invalid', 'it carries no credential of its signer')
  const verdict = verifyCredential(link.presented, { anchors, instance: link.signer, nowMs })
  if (verdict.kind === 'deny') return renameCode(verdict)
  if (!isSameAgent(verdict.credential, parent.delegate)) {
    return refuse('delegation.invalid', `its signer is ${verdict.credential.name}, not ${parent.delegate.name}`)
  }
  return verdict
}

function isSameAgent(left: AgentId, right: AgentId): boolean {
  return left.owner === right.owner && left.name === right.name
}

function renameCode(refusal: Refusal): Refusal {
  if (refusal.code === 'identity.owner-unknown') return refusal
  const code = refusal.code === 'identity.credential-expired' ? 'delegation.expired' : 'delegation.invalid'
  return refuse(code, `${refusal.code}: ${refusal.reason}`)
}

function at(index: number, refusal: Refusal): Refusal {
  return { ...refusal, reason: `link ${index + 1}: ${refusal.reason}` }
}
