import type { CancelTimer, Clock } from '@parley/ports'
import type { InstanceDid } from '@parley/protocol'

/** Whether a node that was away has heard from its peers what it missed. */
export interface CatchUp {
  /** Resolves when it has; undefined if it has by now. */
  pending(): Promise<void> | undefined
  /** The node was away: it has to hear again. */
  restart(): void
  /** A peer told how many orders it holds; `isAhead` if they are more. */
  heard(instance: InstanceDid, isAhead: boolean): void
  /** A peer that was ahead has told what it holds. */
  told(instance: InstanceDid): void
  stop(): void
}

/** Two peers are asked: one could be as far behind. */
const enoughPeers = 2
/** How long the first peer's word waits for a second one, in milliseconds. */
const gatherMs = 25
/** How long silence is waited for, in milliseconds: a node may be the only one. */
const patienceMs = 1_000

/** Creates the gate; it is open until `restart`. */
export function createCatchUp(clock: Clock): CatchUp {
  let waiting: { readonly done: Promise<void>; readonly resolve: () => void } | undefined
  let timers: CancelTimer[] = []
  let isGathered = false
  const peers = new Set<InstanceDid>()
  const ahead = new Set<InstanceDid>()
  const open = (): void => {
    for (const cancel of timers) cancel()
    timers = []
    waiting?.resolve()
    waiting = undefined
  }
  const decide = (): void => {
    if (waiting && ahead.size === 0 && (isGathered || peers.size >= enoughPeers)) open()
  }
  return {
    pending: () => waiting?.done,
    restart() {
      peers.clear()
      ahead.clear()
      isGathered = false
      for (const cancel of timers) cancel()
      timers = [clock.setTimer(open, patienceMs)]
      if (waiting) return
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting = { done: promise, resolve }
    },
    heard(instance, isAhead) {
      if (!waiting || peers.has(instance)) return
      if (peers.size === 0)
        timers.push(
          clock.setTimer(() => {
            isGathered = true
            decide()
          }, gatherMs),
        )
      peers.add(instance)
      if (isAhead) ahead.add(instance)
      decide()
    },
    told(instance) {
      ahead.delete(instance)
      decide()
    },
    stop: open,
  }
}
