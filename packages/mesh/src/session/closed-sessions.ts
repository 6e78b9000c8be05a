import type { Did, InstanceDid, ReplayWindow } from '@parley/protocol'
import { createOwnerShares } from '../node/owner-shares.ts'

/** A session that ended. */
export interface EndedSession {
  readonly id: string
  readonly peer: { readonly owner: Did; readonly instance: InstanceDid }
  readonly inbound: ReplayWindow
}

/**
 * What was accepted in sessions that ended: enough to tell a copy from a request of which nothing was done. The latest are
 * remembered; of the owner that has most of them the oldest makes room.
 */
export interface ClosedSessions {
  remember(session: EndedSession): void
  /** The window of an ended session with this instance; undefined where none is remembered. */
  windowOf(id: string, instance: InstanceDid): ReplayWindow | undefined
}

/** Remembers at most `maxClosed` sessions. */
export function createClosedSessions(maxClosed = 4_096): ClosedSessions {
  const closed = new Map<string, Omit<EndedSession, 'id'>>()
  const shares = createOwnerShares()
  const makeRoom = (): void => {
    const crowded = shares.crowded()
    for (const [id, { peer }] of closed) {
      if (peer.owner !== crowded) continue
      closed.delete(id)
      shares.take(peer.owner, 1)
      return
    }
  }
  return {
    remember({ id, peer: { owner, instance }, inbound }) {
      if (closed.has(id)) return
      // Not the peer itself: its credential is larger than all else.
      closed.set(id, { peer: { owner, instance }, inbound })
      shares.add(owner, 1)
      if (closed.size > maxClosed) makeRoom()
    },
    windowOf(id, instance) {
      const session = closed.get(id)
      return session?.peer.instance === instance ? session.inbound : undefined
    },
  }
}
