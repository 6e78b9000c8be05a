import type { CancelTimer, Clock } from '@parley/ports'
import type { InstanceDid } from '@parley/protocol'

/** Owner → sequence of the last of its orders, as a peer says. */
export type Sequences = Readonly<Record<string, number>>

/**
 * Peers that said that they hold orders which this node lacks, and whom of them to ask.
 *
 * I1 Few are asked at a time: where all hold the same, what one tells makes the others need not be asked.
 * I2 Whoever stays ahead is asked, also when those before it do not answer.
 */
export interface AheadPeers {
  /** A peer said what it holds; false if that is not more than is held. */
  heard(peer: InstanceDid, told: Sequences): boolean
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
  const ahead = new Map<InstanceDid, { readonly told: Sequences; isAsked: boolean }>()
  let room = askedAtOnce
  let cancelTimer: CancelTimer | undefined
  let stopped = false
  const askNext = (): void => {
    for (const [peer, entry] of ahead) {
      if (room === 0) break
      if (entry.isAsked) continue
      entry.isAsked = true
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
    heard(peer, told) {
      ahead.delete(peer)
      if (stopped || !isMore(told)) return false
      ahead.set(peer, { told, isAsked: false })
      const [oldest] = ahead.keys()
      if (ahead.size > maxPeers && oldest !== undefined) ahead.delete(oldest)
      askNext()
      return true
    },
    told(peer) {
      const caught = [peer]
      ahead.delete(peer)
      for (const [other, { told }] of ahead)
        if (!isMore(told)) {
          ahead.delete(other)
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
