import type { Clock } from '@parley/ports'
import { allowed, limits, refuse, type EnvelopeHeader, type InstanceDid, type Verdict } from '@parley/protocol'

/**
 * Remembers which events were taken, so that none is taken twice.
 *
 * I1 Asked and written in one step, for senders whose credential held.
 * I2 No id is forgotten while a copy could still be taken, also when the wall clock is set back.
 * I3 Bounded: a sender fills only its own part, and beyond the bounds events are refused, never forgotten early.
 * I4 What was issued before the start is not taken: nobody can tell whether it was before.
 */
export interface EventMemory {
  /** Takes an event once: refuses with `iatp.replayed`, or with `iatp.sender-limited` when there is no room. */
  take(header: Pick<EnvelopeHeader, 'from' | 'id' | 'issuedAtMs' | 'expiresAtMs'>): Verdict
}

/** Creates the memory of a node that starts now. */
export function createEventMemory(
  clock: Clock,
  maxIdsPerSender: number = limits.eventIds,
  maxSenders = 1_024,
): EventMemory {
  const startedAtMs = clock.now()
  /** Id → expiry, by sender. */
  const taken = new Map<InstanceDid, Map<string, number>>()
  /** The latest expiry of what was forgotten. */
  let forgottenUntilMs = -Infinity
  const forget = (ids: Map<string, number>): void => {
    const lapsedMs = clock.now() - limits.skewMs
    for (const [id, expiresAtMs] of ids) {
      if (expiresAtMs >= lapsedMs) continue
      ids.delete(id)
      forgottenUntilMs = Math.max(forgottenUntilMs, expiresAtMs)
    }
  }
  const makeRoom = (): boolean => {
    if (taken.size < maxSenders) return true
    for (const [sender, ids] of taken) {
      forget(ids)
      if (ids.size === 0) taken.delete(sender)
    }
    return taken.size < maxSenders
  }
  return {
    take({ from, id, issuedAtMs, expiresAtMs }) {
      if (issuedAtMs < startedAtMs) return refuse('iatp.replayed', 'the event was issued before this node started')
      if (expiresAtMs <= forgottenUntilMs)
        return refuse('iatp.replayed', 'the event is as old as some that were forgotten')
      const known = taken.get(from)
      if (known?.has(id) === true) return refuse('iatp.replayed', 'the event was taken before')
      if (known && known.size >= maxIdsPerSender) forget(known)
      if ((known && known.size >= maxIdsPerSender) || (!known && !makeRoom()))
        return refuse('iatp.sender-limited', 'too many events are remembered')
      const ids = known ?? new Map<string, number>()
      ids.set(id, expiresAtMs)
      taken.set(from, ids)
      return allowed
    },
  }
}
