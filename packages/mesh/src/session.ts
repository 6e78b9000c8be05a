import { createReplayWindow, type InstanceDid, type ReplayWindow } from '@parley/protocol'
import type { VerifiedChain, VerifiedCredential } from '@parley/identity'

/**
 * What two instances verified about each other. A session caches what was verified, never what was decided: orders,
 * trust, policy and expiry are asked at every hop.
 */
export interface Session {
  /** base64url SHA-256 over the leaves of hello and welcome. */
  readonly id: string
  readonly peer: VerifiedCredential
  /** Id of the own credential that the peer verified; a renewed one needs a new session. */
  readonly ownCredentialId: string
  readonly inbound: ReplayWindow
  /** Chains that the peer sent, by hash. */
  readonly chains: Map<string, VerifiedChain>
  /** Hashes of chains that the peer is known to hold. */
  readonly sentChains: Set<string>
  /** Takes the next counter of the own direction. */
  nextCounter(): number
}

/** Chains that one session holds at most; the oldest makes room. */
export const maxChainsPerSession = 64

/** Creates a session once both sides are proven. */
export function createSession(id: string, peer: VerifiedCredential, ownCredentialId: string): Session {
  let counter = 0
  return {
    id,
    peer,
    ownCredentialId,
    inbound: createReplayWindow(),
    chains: new Map(),
    sentChains: new Set(),
    nextCounter: () => ++counter,
  }
}

/** The sessions of a node, bounded: the one that was used longest ago makes room and has to shake hands again. */
export interface SessionTable {
  get(id: string): Session | undefined
  add(session: Session): void
  /** The session that this node opened to an instance, for calls. */
  opened(instance: InstanceDid): Session | undefined
  addOpened(session: Session): void
  remove(id: string): void
  size(): number
}

/** Creates a table of at most `maxSessions`. */
export function createSessionTable(maxSessions = 20_000): SessionTable {
  const byId = new Map<string, Session>()
  const byInstance = new Map<InstanceDid, Session>()
  const remove = (id: string): void => {
    const session = byId.get(id)
    byId.delete(id)
    if (session && byInstance.get(session.peer.instance) === session) byInstance.delete(session.peer.instance)
  }
  const add = (session: Session): void => {
    byId.set(session.id, session)
    for (const oldest of byId.keys()) {
      if (byId.size <= maxSessions) break
      remove(oldest)
    }
  }
  return {
    get(id) {
      const session = byId.get(id)
      if (session) {
        byId.delete(id)
        byId.set(id, session)
      }
      return session
    },
    add,
    opened: (instance) => byInstance.get(instance),
    addOpened(session) {
      const previous = byInstance.get(session.peer.instance)
      if (previous) byId.delete(previous.id)
      byInstance.set(session.peer.instance, session)
      add(session)
    },
    remove,
    size: () => byId.size,
  }
}
