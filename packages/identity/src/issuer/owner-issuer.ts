import type { Clock, Issuer, Random, Signer } from '@parley/ports'
import { type AgentName, type Did, formatId, type InstanceDid, isAgentName, MeshError } from '@parley/protocol'
import type { Anchor } from '../credential/anchor.ts'
import { namePatternsCover } from '../credential/name-pattern.ts'
import type { Allowance } from '../delegation/allowance.ts'
import type { Constraints } from '../delegation/constraints.ts'
import type { OrderKind, OrderTerms } from '../order/order.ts'
import type { OrderNews } from './order-log.ts'
import { signPolicyRelease, type PolicyRelease } from '../policy-release/policy-release.ts'
import { signDelegation } from '../delegation/delegation.ts'
import type { JoinGrant } from '../join/join-grant.ts'
import type { NatsAccount } from '../nats/nats-account.ts'
import { createJoinToken, type JoinToken, type JoinTokenDraft } from '../join/join-token.ts'

/** An issuer that can also speak for its owner: it says how to anchor it, and begins delegation chains. */
export interface OwnerIssuer extends Issuer {
  readonly owner: Did
  /** The did:key that signs credentials and join tokens. */
  readonly issuer: InstanceDid
  /** What another node puts among its anchors to accept this owner. */
  readonly anchor: Anchor
  /** Signs the first link of a chain with the owner's key and returns the chain. */
  delegate(request: DelegateRequest): Promise<readonly string[]>
  /** Makes a one-time join token with the issuer's key; its anchors are this owner's unless others are given. */
  joinToken(draft: JoinRequest): Promise<MadeJoinToken>
  /** Signs a join grant with the issuer's key, for whoever was admitted and shall be able to come back. */
  grantJoin(grant: JoinGrant): Promise<string>
  /** Mints the users of a fenced broker, where the issuer has an account of one. */
  readonly natsAccount?: NatsAccount
  /**
   * Signs the owner's next order; `subject` is a credential id, a link id, the DID of an instance or issuer, or an agent
   * name. `quarantine` and `pin` have terms. It is in force where a node accepts it. Rejects as `signOrder`, and with the code
   * that every node would refuse it with: it is not kept then.
   */
  order(kind: OrderKind, subject: string, terms?: OrderTerms): Promise<string>
  /** Signs with the owner's key that agents may load a set of policies; for all of the owner's agents unless it says which. */
  release(release: ReleaseRequest): Promise<string>
  /** Tells the orders after a sequence and the head, signed by the issuer: what a node asks for and announces. */
  orderNews(afterSequence: number): Promise<OrderNews>
}

/** What a release of policies is asked for with. */
export type ReleaseRequest = Pick<PolicyRelease, 'policy' | 'number'> & Partial<Pick<PolicyRelease, 'agents'>>

/** What a join token of an issuer is asked for with. */
export type JoinRequest = Omit<JoinTokenDraft, 'anchors'> & Partial<Pick<JoinTokenDraft, 'anchors'>>

/** A join token with the id that orders and the issuer's memory know it by. */
export interface MadeJoinToken {
  readonly id: string
  readonly token: JoinToken
  readonly expiresAtMs: number
}

/** What an owner hands to an agent. */
export interface DelegateRequest {
  readonly to: AgentName
  /** The owner of `to`; this owner by default. */
  readonly toOwner?: Did
  /** Whole capabilities, never a pattern. */
  readonly capabilities: readonly string[]
  /** What the arguments must be, for instance `{ to: { in: ['SFO'] }, amount: { max: 500 } }`. */
  readonly constraints?: Constraints
  readonly allowance?: Allowance
  /** Labels that everything done under the chain must carry. */
  readonly labels?: readonly string[]
  /** For how long from now. */
  readonly forMs: number
}

/** Signs the first link of a chain for an owner. Rejects with what `signDelegation` rejects with. */
export function delegateAsOwner(
  owner: Signer & { readonly did: Did },
  request: DelegateRequest,
  ports: { readonly clock: Clock; readonly random: Random },
): Promise<readonly string[]> {
  const nowMs = ports.clock.now()
  return signDelegation(owner, {
    id: formatId(ports.random.bytes(16)),
    delegate: { owner: request.toOwner ?? owner.did, name: request.to },
    capabilities: request.capabilities,
    ...(request.constraints === undefined ? {} : { constraints: request.constraints }),
    ...(request.allowance === undefined ? {} : { allowance: request.allowance }),
    ...(request.labels === undefined ? {} : { labels: request.labels }),
    notBeforeMs: nowMs,
    expiresAtMs: nowMs + request.forMs,
  })
}

/** Signs a release for an owner, now. Rejects with what `signPolicyRelease` rejects with. */
export function releaseAsOwner(
  owner: Signer,
  anchor: Pick<Anchor, 'alias'>,
  { policy, number, agents = [`${anchor.alias}/*`] }: ReleaseRequest,
  clock: Clock,
): Promise<string> {
  return signPolicyRelease(owner, { policy, number, agents, issuedAtMs: clock.now() })
}

/**
 * Makes a join token for an issuer whose owner has this anchor. Rejects with `identity.name-not-owned` for a name that the
 * issuer could give nobody, and with what `createJoinToken` rejects with.
 */
export async function joinAsIssuer(
  signer: Signer,
  anchor: Anchor,
  request: JoinRequest,
  ports: { readonly clock: Clock; readonly random: Random; readonly natsAccount?: NatsAccount },
): Promise<MadeJoinToken> {
  const { name } = request
  if (isAgentName(name) && !namePatternsCover(anchor.issues, name))
    throw new MeshError('identity.name-not-owned', `${anchor.alias} issues ${anchor.issues.join(', ')}, not ${name}`)
  return createJoinToken(signer, { anchors: [anchor], issuer: `${anchor.alias}/issuer`, ...request }, ports)
}
