import { createReplayWindow, type InstanceDid, type ReplayWindow } from '@parley/protocol'
import type { VerifiedChain, VerifiedCredential } from '@parley/identity'
import type { HandedChain } from '../delegation/handed-chain.ts'
import { createOwnerShares } from '../node/owner-shares.ts'
import type { BodyKeys } from './body-keys.ts'
import { createClosedSessions } from './closed-sessions.ts'

/**
 * What two instances verified about each other. A session caches what was verified, never what was decided: orders,
 * trust, policy and expiry are asked at every hop.
 */
export interface Session {
  /** base64url SHA-256 over the leaves of hello and welcome. */
  readonly id: string
  /** The table puts a later credential of the same instance and name in its place. */
  peer: VerifiedCredential
  /** Id of the own credential that the peer verified; a renewed one needs a new session. */
  readonly ownCredentialId: string
  /** What bodies are encrypted with; undefined where one side offered no key share. */
  readonly keys: BodyKeys | undefined
  readonly inbound: ReplayWindow
  /** Chains that the peer sent, by hash; undefined until one came, since an idle session must cost little. */
  chains: Map<string, VerifiedChain> | undefined
  /**
   * Chains that the peer handed to this agent, by hash; undefined until one came. Kept apart: under them this agent acts,
   * not the peer.
   */
  handed: Map<string, HandedChain> | undefined
  /** Hashes of chains that the peer is known to hold, marked where they were handed to it; undefined while there are none. */
  sentChains: Set<string> | undefined
  /** The counter of the own direction that was used last. */
  lastCounter: number
}

/** Chains that one session holds at most; the oldest makes room. */
export const maxChainsPerSession = 64

/** Marks the hash of a chain that was handed to the peer, in `sentChains`. */
export function markHanded(hash: string): string {
  return `handed ${hash}`
}

/** Creates a session once both sides are proven. */
export function createSession(id: string, peer: VerifiedCredential, ownCredentialId: string, keys?: BodyKeys): Session {
  // Data alone: a session is silent most of its life, and closures would be half of what it weighs.
  return {
    id,
    peer,
    ownCredentialId,
    keys,
    inbound: createReplayWindow(),
    chains: undefined,
    handed: undefined,
    sentChains: undefined,
    lastCounter: 0,
  }
}

/** Takes the next counter of the own direction. */
export function nextCounter(session: Session): number {
  return ++session.lastCounter
}

/** Takes a later credential of the same instance and name; an earlier one changes nothing. */
function renewPeer(session: Session, later: VerifiedCredential): void {
  const { peer } = session
  const isSame = later.instance === peer.instance && later.name === peer.name && later.owner === peer.owner
  if (isSame && later.expiresAtMs > peer.expiresAtMs) session.peer = later
}

/** Sessions that one instance has here at most, of both directions: a renewal takes one, and the oldest makes room. */
export const maxSessionsPerInstance = 8

/**
 * The sessions of a node, bounded: of the owner that has most of them, the one that was used longest ago makes room and has
 * to shake hands again. So an instance, or an owner with any number of names, that shakes hands without end pushes out only
 * its own.
 */
export interface SessionTable {
  get(id: string): Session | undefined
  add(session: Session): void
  /** The session that this node opened to an instance, for calls. */
  opened(instance: InstanceDid): Session | undefined
  addOpened(session: Session): void
  /**
   * Gives every session of an instance its later credential, once that was verified: what is in flight when a credential is
   * renewed outlives the old one.
   */
  renew(peer: VerifiedCredential): void
  /** Makes no more calls over a session. Answers that are on their way are still taken. */
  retire(id: string): void
  /** Ends a session. */
  remove(id: string): void
  /** What an ended session with this instance accepted; undefined where none is remembered. */
  closed(id: string, instance: InstanceDid): ReplayWindow | undefined
  size(): number
  list(): readonly Session[]
}

/** Creates a table of at most `maxSessions`. */
export function createSessionTable(maxSessions = 20_000): SessionTable {
  const byId = new Map<string, Session>()
  const byInstance = new Map<InstanceDid, Session>()
  /** The one at the end of `byId`: it need not be moved there again. */
  let lastUsed: Session | undefined
  /** Ids by instance, the oldest first. */
  const idsOf = new Map<InstanceDid, readonly string[]>()
  const closed = createClosedSessions()
  const shares = createOwnerShares()
  const retire = (id: string): void => {
    const session = byId.get(id)
    if (session && byInstance.get(session.peer.instance) === session) byInstance.delete(session.peer.instance)
  }
  const remove = (id: string): void => {
    const session = byId.get(id)
    retire(id)
    byId.delete(id)
    if (!session) return
    const { instance, owner } = session.peer
    closed.remember(session)
    shares.take(owner, 1)
    const left = (idsOf.get(instance) ?? []).filter((other) => other !== id)
    if (left.length > 0) idsOf.set(instance, left)
    else idsOf.delete(instance)
  }
  const add = (session: Session): void => {
    const { instance, owner } = session.peer
    if (!byId.has(session.id)) shares.add(owner, 1)
    byId.set(session.id, session)
    lastUsed = session
    const ids = [...(idsOf.get(instance) ?? []), session.id]
    idsOf.set(instance, ids)
    const [oldestOfInstance] = ids
    if (ids.length > maxSessionsPerInstance && oldestOfInstance !== undefined) remove(oldestOfInstance)
    if (byId.size <= maxSessions) return
    const crowded = shares.crowded()
    for (const [id, { peer }] of byId) {
      if (peer.owner !== crowded) continue
      remove(id)
      return
    }
  }
  return {
    get(id) {
      const session = byId.get(id)
      if (session && session !== lastUsed) {
        byId.delete(id)
        byId.set(id, session)
        lastUsed = session
      }
      return session
    },
    add,
    opened: (instance) => byInstance.get(instance),
    addOpened(session) {
      byInstance.set(session.peer.instance, session)
      add(session)
    },
    renew(peer) {
      for (const id of idsOf.get(peer.instance) ?? []) {
        const session = byId.get(id)
        if (session) renewPeer(session, peer)
      }
    },
    retire,
    remove,
    closed: closed.windowOf,
    size: () => byId.size,
    list: () => [...byId.values()],
  }
}
