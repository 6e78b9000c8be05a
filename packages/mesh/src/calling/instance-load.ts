import type { InstanceDid } from '@parley/protocol'

/** What this node's own calls show of the instances that it asks. Nothing that an instance says of itself counts. */
export interface InstanceLoad {
  /** Counts a call in; the returned function counts it out, with its duration if it says how fast the instance is. */
  enter(instance: InstanceDid): (durationMs?: number) => void
  /** Tells how much one more call costs there: calls in flight, this one included, times the usual duration. */
  cost(instance: InstanceDid): number
}

interface Load {
  inFlight: number
  /** Exponentially weighted mean of durations; 0 before the first one, so that a new instance is tried. */
  usualMs: number
}

/** How much the latest duration weighs: about the last ten count. */
const latestWeight = 0.2
/** Below this all are equally fast: what differs is noise. */
const leastMs = 1

/** Creates the table, bounded to `maxInstances`: who was asked longest ago and has no call in flight makes room. */
export function createInstanceLoad(maxInstances = 10_000): InstanceLoad {
  const loads = new Map<InstanceDid, Load>()
  const makeRoom = (): void => {
    for (const [instance, load] of loads) {
      if (loads.size < maxInstances) return
      if (load.inFlight === 0) loads.delete(instance)
    }
  }
  return {
    enter(instance) {
      const known = loads.get(instance)
      if (!known) makeRoom()
      const load = known ?? { inFlight: 0, usualMs: 0 }
      loads.set(instance, load)
      load.inFlight += 1
      let isOver = false
      return (durationMs) => {
        if (isOver) return
        isOver = true
        load.inFlight -= 1
        if (durationMs === undefined) return
        load.usualMs = load.usualMs === 0 ? durationMs : load.usualMs + latestWeight * (durationMs - load.usualMs)
      }
    },
    cost(instance) {
      const { inFlight = 0, usualMs = 0 } = loads.get(instance) ?? {}
      return (inFlight + 1) * Math.max(usualMs, leastMs)
    },
  }
}
