import type { CancelTimer, Clock } from '@parley/ports'
import type { Did, InstanceDid } from '@parley/protocol'
import { createOwnerShares } from '../node/owner-shares.ts'

/** Owner → sequence of the last of its orders, as a peer says. */
export type Sequences = Readonly<Record<string, number>>

/**
 * Peers that said that they hold orders which this node lacks, and whom of them to ask.
 *
 * I1 Few are asked at a time: where all hold the same, what one tells makes the others need not be asked.
 * I2 Whoever stays ahead is asked, also when those before it do not answer; owners take turns, and one with any number of
 *    instances pushes out only its own.
 */
export interface AheadPeers {
  /** A peer said what it holds; false if that is not more than is held. */
  heard(peer: InstanceDid, owner: Did, told: Sequences): boolean
  /** A peer told what it holds. Returns it, and who is ahead no more by what it told. */
  told(peer: InstanceDid): readonly InstanceDid[]
  stop(): void
}

/** So many are asked at a time: a few may be as far behind, or not answer. */
const askedAtOnce = 4
/** When the next are asked if these do not answer, in milliseconds: several times within what a start waits. */
const askEveryMs = 100
const maxPeers = 1_024

/** Creates an empty list; `isMore` compares with what is held now, `ask` asks one peer. */
export function createAheadPeers(
  clock: Clock,
  isMore: (told: Sequences) => boolean,
  ask: (peer: InstanceDid) => void,
): AheadPeers {
  const ahead = new Map<InstanceDid, { readonly owner: Did; readonly told: Sequences; isAsked: boolean }>()
  const shares = createOwnerShares()
  /** How often an owner's instances were asked since anybody was ahead. */
  const turns = new Map<Did, number>()
  let room = askedAtOnce
  let cancelTimer: CancelTimer | undefined
  let stopped = false
  const remove = (peer: InstanceDid): void => {
    const entry = ahead.get(peer)
    if (entry && ahead.delete(peer)) shares.take(entry.owner, 1)
    if (ahead.size === 0) turns.clear()
  }
  const makeRoom = (): void => {
    const crowded = shares.crowded()
    for (const [peer, entry] of ahead) {
      if (entry.owner !== crowded) continue
      remove(peer)
      return
    }
  }
  const turnsOf = (owner: Did): number => turns.get(owner) ?? 0
  const nextUp = (): InstanceDid | undefined => {
    let best: { readonly peer: InstanceDid; readonly turns: number } | undefined
    for (const [peer, { owner, isAsked }] of ahead)
      if (!isAsked && (!best || turnsOf(owner) < best.turns)) best = { peer, turns: turnsOf(owner) }
    return best?.peer
  }
  const askNext = (): void => {
    for (let peer = nextUp(); room > 0 && peer !== undefined; peer = nextUp()) {
      const entry = ahead.get(peer)
      if (!entry) return
      entry.isAsked = true
      turns.set(entry.owner, turnsOf(entry.owner) + 1)
      room -= 1
      ask(peer)
      cancelTimer ??= clock.setTimer(() => {
        cancelTimer = undefined
        room = askedAtOnce
        askNext()
      }, askEveryMs)
    }
  }
  return {
    heard(peer, owner, told) {
      remove(peer)
      if (stopped || !isMore(told)) return false
      ahead.set(peer, { owner, told, isAsked: false })
      shares.add(owner, 1)
      if (ahead.size > maxPeers) makeRoom()
      askNext()
      return true
    },
    told(peer) {
      const caught = [peer]
      remove(peer)
      for (const [other, { told }] of ahead)
        if (!isMore(told)) {
          remove(other)
          caught.push(other)
        }
      askNext()
      return caught
    },
    stop() {
      stopped = true
      ahead.clear()
      cancelTimer?.()
    },
  }
}
