import { type AgentId, allowed, type Did, isAgentName, refuse, type Risk, type Verdict } from '@parley/protocol'
import type { Anchors } from '../credential/anchor.ts'
import { aliasOf } from '../credential/name-pattern.ts'
import type { VerifiedCredential } from '../credential/verify-credential.ts'
import type { VerifiedChain } from '../delegation/delegation-chain.ts'
import { defaultOrderStaleness, type OrderStaleness } from './order-freshness.ts'
import { isJwtSigned, refuseUnsigned } from '../jwt/verify-jwt.ts'
import { decodeOrderHead, type VerifiedOrderHead } from './order-head.ts'
import { decodeOrder, type VerifiedOrder } from './order.ts'
import { createTimedOrders, type Pin } from './timed-orders.ts'

/**
 * The orders that a node holds, in memory.
 *
 * I1 An owner's orders are held in sequence without gaps, each naming the hash of the one before.
 * I2 An order touches only what stands under its own owner's DID.
 * I3 What an order revoked stays revoked: nothing is forgotten by time. Quarantines and pins end when they say.
 * I4 An order of an accepted owner is in force at once, also one that cannot be held yet, as far as it denies.
 * I5 While more orders are known to exist than are held, nothing under that owner is decided in its favour.
 */
export interface OrderBook {
  /**
   * Takes an order in. Codes: those of `verifyJwt`, `identity.owner-unknown`, `identity.name-not-owned`,
   * `identity.order-stale` (this or a later one is held), `identity.order-gap` (fetch those before first),
   * `identity.order-forked` (the owner signed two histories). After a gap or a fork the order is in force, and not held.
   */
  accept(token: string, nowMs: number): Verdict
  /**
   * Takes in what was an owner's latest order at a moment. Codes: those of `verifyJwt`, `identity.owner-unknown`,
   * `identity.revoked` for an issuer that was, `identity.order-stale` for one that says nothing new,
   * `identity.order-forked`, `identity.order-gap` when it shows that orders are missing.
   */
  acceptHead(token: string, nowMs: number): Verdict
  /** Refuses with `identity.revoked` a credential whose id, instance, name or issuer an order of its owner names. */
  check(credential: VerifiedCredential): Verdict
  /** Refuses with `identity.revoked` a chain in which a link, a signer's credential or an agent is revoked. */
  checkChain(chain: VerifiedChain): Verdict
  /**
   * Decides whether enough is known of owners' orders for a risk: `identity.orders-behind` while orders are missing, and,
   * for owners whose anchor says `orders: 'required'`, `identity.orders-outdated` if their last word is too old.
   */
  checkKnown(owners: Iterable<Did>, risk: Risk, nowMs: number): Verdict
  /** Tells whether an order to `kill` names the credential's instance or name: then also what is under way ends. */
  isKilled(credential: VerifiedCredential): boolean
  /**
   * Refuses with `identity.quarantined` a credential whose name or instance is in quarantine now. What was begun before may
   * be looked up and undone all the same, so this is asked apart from `check`.
   */
  checkQuarantine(credential: VerifiedCredential, nowMs: number): Verdict
  /** Refuses with `identity.quarantined` a chain in which an agent or a signing instance is in quarantine now. */
  checkChainQuarantine(chain: VerifiedChain, nowMs: number): Verdict
  /** Whether no owner ever ordered a quarantine or a pin: a cheap answer for who asks at every hop. */
  hasNoneTimed(): boolean
  /** Returns the order that has an agent in quarantine by its name now. */
  quarantineOf(agent: AgentId, nowMs: number): VerifiedOrder | undefined
  /**
   * Tells whether its owner ordered a quarantine of an agent, by its name, at this time (whole seconds) or later: what a
   * person said of it before was said of another situation.
   */
  isQuarantinedSince(agent: AgentId, sinceMs: number): boolean
  /** Returns the score that its owner has pinned for an agent, if one is in force now. */
  pinOf(agent: AgentId, nowMs: number): Pin | undefined
  /** Lists the pins of all owners that are in force now. */
  pins(nowMs: number): readonly Pin[]
  /** Returns the last order of an owner: how far to ask for more, and how fresh the knowledge is. */
  head(owner: string): VerifiedOrder | undefined
  /** Returns the tokens of an owner's orders after a sequence, in order. */
  tokens(owner: string, afterSequence: number): readonly string[]
  /** Returns the newest head of an owner as it was signed. */
  headToken(owner: string): string | undefined
  /** Returns the highest sequence that is known to exist for an owner. */
  seen(owner: string): number
}

interface Held {
  readonly tokens: string[]
  last?: VerifiedOrder
  head?: { readonly token: string; readonly facts: VerifiedOrderHead }
  seen: number
}

/** Creates an empty book that takes orders of anchored owners. */
export function createOrderBook({
  anchors,
  staleness = defaultOrderStaleness,
}: {
  readonly anchors: Anchors
  readonly staleness?: OrderStaleness
}): OrderBook {
  const byOwner = new Map<string, Held>()
  const inForce = new Map<string, VerifiedOrder>()
  const timed = createTimedOrders()
  const heldOf = (owner: string): Held => {
    const held = byOwner.get(owner) ?? { tokens: [], seen: 0 }
    byOwner.set(owner, held)
    return held
  }
  const checkSubjects = (owner: Did, subjects: readonly string[]): Verdict => {
    if (inForce.size === 0) return allowed
    for (const subject of subjects) {
      const order = inForce.get(keyOf(owner, subject))
      if (order) {
        return refuse('identity.revoked', `order ${order.sequence} of ${owner}: ${order.kind} ${subject}`)
      }
    }
    return allowed
  }
  const check = (credential: VerifiedCredential): Verdict =>
    checkSubjects(credential.owner, [credential.name, credential.instance, credential.id, credential.issuer])
  const checkQuarantined = (owner: Did, subjects: readonly string[], nowMs: number): Verdict => {
    for (const subject of subjects) {
      const order = timed.quarantineOf(owner, subject, nowMs)
      if (order)
        return refuse('identity.quarantined', `order ${order.sequence} of ${owner}: quarantine ${subject}`, {
          retryAfterMs: (order.untilMs ?? nowMs) - nowMs,
        })
    }
    return allowed
  }
  const enforce = (order: VerifiedOrder, isHeld: boolean): void => {
    if (order.kind === 'quarantine' || order.kind === 'pin') {
      timed.enforce(order, isHeld)
      return
    }
    const key = keyOf(order.owner, order.subject)
    if (inForce.get(key)?.kind !== 'kill') inForce.set(key, order)
  }
  return {
    accept(token, nowMs) {
      const decoded = decodeOrder(token, { nowMs, ownerKeys: anchors.keysOf })
      if (decoded.kind === 'deny') return decoded
      const { order, jwt } = decoded
      const own = decideOwner(order, anchors)
      if (own.kind === 'deny') return own
      if (!isJwtSigned(jwt)) return refuseUnsigned(jwt)
      const held = heldOf(order.owner)
      held.seen = Math.max(held.seen, order.sequence)
      const place = decidePlace(order, token, held)
      if (place.kind === 'allow' || place.code !== 'identity.order-stale') enforce(order, place.kind === 'allow')
      if (held.head?.facts.signer === order.subject) {
        // What a revoked issuer said of orders that nobody holds is no reason to wait for them.
        delete held.head
        held.seen = Math.max(order.sequence, held.last?.sequence ?? 0)
      }
      if (place.kind === 'deny') return place
      held.last = order
      held.tokens.push(token)
      return allowed
    },
    acceptHead(token, nowMs) {
      const decoded = decodeOrderHead(token, { nowMs, ownerKeys: anchors.keysOf })
      if (decoded.kind === 'deny') return decoded
      const { head: facts, jwts } = decoded
      if (!anchors.ofOwner(facts.owner))
        return refuse('identity.owner-unknown', `no anchor accepts the owner ${facts.owner}`)
      const issuer = checkSubjects(facts.owner, [facts.signer])
      if (issuer.kind === 'deny') return issuer
      const forged = jwts.find((jwt) => !isJwtSigned(jwt))
      if (forged) return refuseUnsigned(forged)
      const held = heldOf(facts.owner)
      if (facts.sequence < held.seen)
        return refuse('identity.order-stale', `the head names ${facts.sequence}, but ${held.seen} is known to exist`)
      if (facts.sequence === held.last?.sequence && facts.hash !== held.last.hash)
        return refuse(
          'identity.order-forked',
          `the head names another order ${facts.sequence} than the one that is held`,
        )
      if (held.head && facts.sequence === held.seen && facts.issuedAtMs <= held.head.facts.issuedAtMs)
        return refuse('identity.order-stale', 'a head that is as new is held already')
      held.seen = facts.sequence
      held.head = { token, facts }
      const known = held.last?.sequence ?? 0
      return known === facts.sequence
        ? allowed
        : refuse('identity.order-gap', `the head names ${facts.sequence}, but ${known} is the last one held`)
    },
    check,
    checkChain(chain) {
      if (inForce.size === 0) return allowed
      const verdicts = [
        ...chain.links.map(({ owner, id }) => checkSubjects(owner, [id])),
        ...chain.agents.map(({ owner, name }) => checkSubjects(owner, [name])),
        ...chain.credentials.map(check),
      ]
      return verdicts.find((verdict) => verdict.kind === 'deny') ?? allowed
    },
    checkQuarantine: ({ owner, name, instance }, nowMs) => checkQuarantined(owner, [name, instance], nowMs),
    checkChainQuarantine(chain, nowMs) {
      for (const { owner, name } of chain.agents) {
        const verdict = checkQuarantined(owner, [name], nowMs)
        if (verdict.kind === 'deny') return verdict
      }
      for (const { owner, instance } of chain.credentials) {
        const verdict = checkQuarantined(owner, [instance], nowMs)
        if (verdict.kind === 'deny') return verdict
      }
      return allowed
    },
    hasNoneTimed: timed.isEmpty,
    quarantineOf: ({ owner, name }, nowMs) => timed.quarantineOf(owner, name, nowMs),
    isQuarantinedSince: ({ owner, name }, sinceMs) =>
      timed.isQuarantinedSince(owner, name, Math.floor(sinceMs / 1_000) * 1_000),
    pinOf: timed.pinOf,
    pins: timed.pins,
    checkKnown(owners, risk, nowMs) {
      for (const owner of owners) {
        const held = byOwner.get(owner)
        const known = held?.last?.sequence ?? 0
        if (held && held.seen > known)
          return refuse(
            'identity.orders-behind',
            `${owner} gave order ${held.seen}, and ${known} is the last one held`,
            {
              retryAfterMs: 200,
            },
          )
        if (anchors.ofOwner(owner)?.orders !== 'required') continue
        const ageMs = nowMs - Math.max(held?.last?.issuedAtMs ?? -Infinity, freshAtMs(held))
        if (!(ageMs <= staleness[risk]))
          return refuse(
            'identity.orders-outdated',
            `the last word of ${owner} on its orders is too old to be ${risk}`,
            {
              retryAfterMs: 1_000,
            },
          )
      }
      return allowed
    },
    isKilled: ({ owner, name, instance }) =>
      [name, instance].some((subject) => inForce.get(keyOf(owner, subject))?.kind === 'kill'),
    head: (owner) => byOwner.get(owner)?.last,
    tokens: (owner, afterSequence) => byOwner.get(owner)?.tokens.slice(afterSequence) ?? [],
    headToken: (owner) => byOwner.get(owner)?.head?.token,
    seen: (owner) => byOwner.get(owner)?.seen ?? 0,
  }
}

/** A head speaks for what is held only if it names no less. */
function freshAtMs(held: Held | undefined): number {
  return held?.head && held.head.facts.sequence >= held.seen ? held.head.facts.issuedAtMs : -Infinity
}

function decideOwner(order: VerifiedOrder, anchors: Anchors): Verdict {
  const anchor = anchors.ofOwner(order.owner)
  if (!anchor) return refuse('identity.owner-unknown', `no anchor accepts the owner ${order.owner}`)
  if (isAgentName(order.subject) && aliasOf(order.subject) !== anchor.alias) {
    return refuse('identity.name-not-owned', `${anchor.alias} does not command ${order.subject}`)
  }
  return allowed
}

function decidePlace(order: VerifiedOrder, token: string, { last: head, tokens }: Held): Verdict {
  const held = head?.sequence ?? 0
  if (order.sequence <= held) {
    if (tokens[order.sequence - 1] !== token)
      return refuse('identity.order-forked', `another order ${order.sequence} is held: its owner signed two histories`)
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
