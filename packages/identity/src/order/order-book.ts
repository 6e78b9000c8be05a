import { allowed, type Did, isAgentName, refuse, type Verdict } from '@parley/protocol'
import type { Anchors } from '../credential/anchor.ts'
import { aliasOf } from '../credential/name-pattern.ts'
import type { VerifiedCredential } from '../credential/verify-credential.ts'
import type { VerifiedChain } from '../delegation/delegation-chain.ts'
import { type VerifiedOrder, verifyOrder } from './order.ts'

/**
 * The orders that a node holds, in memory.
 *
 * I1 An owner's orders are held in sequence without gaps, each naming the hash of the one before.
 * I2 An order touches only what stands under its own owner's DID.
 * I3 What an order refused stays refused: nothing is forgotten by time.
 */
export interface OrderBook {
  /**
   * Takes an order in. Codes: those of `verifyJwt`, `identity.owner-unknown`, `identity.name-not-owned`,
   * `identity.order-stale` (this or a later one is held), `identity.order-gap` (fetch those before first),
   * `identity.order-forked` (the owner signed two histories).
   */
  accept(token: string, nowMs: number): Verdict
  /** Refuses with `identity.revoked` a credential whose id, instance, name or issuer an order of its owner names. */
  check(credential: VerifiedCredential): Verdict
  /** Refuses with `identity.revoked` a chain in which a link, a signer's credential or an agent is revoked. */
  checkChain(chain: VerifiedChain): Verdict
  /** Returns the last order of an owner: how far to ask for more, and how fresh the knowledge is. */
  head(owner: string): VerifiedOrder | undefined
}

/** Creates an empty book that takes orders of anchored owners. */
export function createOrderBook({ anchors }: { readonly anchors: Anchors }): OrderBook {
  const heads = new Map<string, VerifiedOrder>()
  const revoked = new Map<string, VerifiedOrder>()
  const checkSubjects = (owner: Did, subjects: readonly string[]): Verdict => {
    for (const subject of subjects) {
      const order = revoked.get(keyOf(owner, subject))
      if (order) {
        return refuse('identity.revoked', `order ${order.sequence} of ${owner}: ${order.kind} ${subject}`)
      }
    }
    return allowed
  }
  const check = (credential: VerifiedCredential): Verdict =>
    checkSubjects(credential.owner, [credential.name, credential.instance, credential.id, credential.issuer])
  return {
    accept(token, nowMs) {
      const verdict = verifyOrder(token, { nowMs })
      if (verdict.kind === 'deny') return verdict
      const { order } = verdict
      const place = decidePlace(order, heads.get(order.owner), anchors)
      if (place.kind === 'deny') return place
      heads.set(order.owner, order)
      revoked.set(keyOf(order.owner, order.subject), order)
      return allowed
    },
    check,
    checkChain(chain) {
      const verdicts = [
        ...chain.links.map(({ owner, id }) => checkSubjects(owner, [id])),
        ...chain.agents.map(({ owner, name }) => checkSubjects(owner, [name])),
        ...chain.credentials.map(check),
      ]
      return verdicts.find((verdict) => verdict.kind === 'deny') ?? allowed
    },
    head: (owner) => heads.get(owner),
  }
}

function decidePlace(order: VerifiedOrder, head: VerifiedOrder | undefined, anchors: Anchors): Verdict {
  const anchor = anchors.ofOwner(order.owner)
  if (!anchor) return refuse('identity.owner-unknown', `no anchor accepts the owner ${order.owner}`)
  if (isAgentName(order.subject) && aliasOf(order.subject) !== anchor.alias) {
    return refuse('identity.name-not-owned', `${anchor.alias} does not command ${order.subject}`)
  }
  const held = head?.sequence ?? 0
  if (order.sequence <= held) {
    return refuse('identity.order-stale', `order ${order.sequence} is not after ${held}, which is held`)
  }
  if (order.sequence > held + 1) {
    return refuse(
      'identity.order-gap',
      `order ${order.sequence} came, but ${held} is the last one held; fetch the rest`,
    )
  }
  if (order.previous !== head?.hash) {
    return refuse('identity.order-forked', `order ${order.sequence} does not follow the order ${held} that is held`)
  }
  return allowed
}

/** Neither part can hold a space. */
function keyOf(owner: string, subject: string): string {
  return `${owner} ${subject}`
}
