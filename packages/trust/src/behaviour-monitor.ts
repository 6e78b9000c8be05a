import {
  addCall,
  computeDivergence,
  countPast,
  countRecent,
  createBehaviour,
  forgetRecent,
  rateP99,
  type Behaviour,
} from './behaviour.ts'
import type { Observed } from './evidence.ts'
import type { Sight } from './sight.ts'
import type { QuarantineCause } from './trust-note.ts'

/** Why a peer should be put apart. */
export interface Alarm {
  readonly cause: QuarantineCause
  readonly reason: string
}

/** Watches what peers do against what they did before. */
export interface BehaviourMonitor {
  /** Adds an observation; returns an alarm if it was one too many. What raised it starts again from nothing. */
  add(observed: Observed, sight: Sight | undefined, nowMs: number): Alarm | undefined
  /** What it keeps of a peer, in a form that can be stored. */
  save(peer: string): SavedBehaviour | undefined
  restore(peer: string, saved: SavedBehaviour): void
}

/** The past of a peer as it is stored; the recent hour is not. */
export interface SavedBehaviour {
  readonly past: readonly (readonly [action: string, calls: number])[]
  readonly rates: readonly number[]
  readonly fadedAtMs: number
  readonly totalCalls: number
  readonly faultsInARow: number
}

/** What a monitor may be told. */
export interface BehaviourMonitorOptions {
  /** Calls a minute that policy grants a peer; a peer that stays under them is never too fast. */
  readonly grantedPerMinute?: (peer: string) => number | undefined
}

/** From here on an hour is unlike the 30 days before it, in nats. */
const maxDivergence = 0.5
/** So many calls of the hour, and of the 30 days, it takes to say so. */
const minRecentCalls = 50
const minPastCalls = 1_000
/** Callee faults in a row that are too many. */
const maxFaultsInARow = 20
/** How many times its own 99th percentile a peer may be fast, once it made so many calls. */
const maxRateFactor = 10
const minRatedCalls = 1_000
/** Share of the hour's calls that may be denied, once there are so many. */
const maxDeniedShare = 0.2
const minAskedCalls = 50
/** Divergence costs a microsecond or two: it is looked at every so many calls. */
const callsPerLook = 16
const maxPeers = 10_000

/** Creates a monitor without memory. It watches the peers that were active last, 10,000 of them. */
export function createBehaviourMonitor({ grantedPerMinute }: BehaviourMonitorOptions = {}): BehaviourMonitor {
  let current = new Map<string, Behaviour>()
  let before = new Map<string, Behaviour>()
  /** Callee faults in a row. Most peers have none, and a good call should cost next to nothing. */
  const faults = new Map<string, number>()

  const behaviourOf = (peer: string, nowMs: number): Behaviour => {
    const known = current.get(peer)
    if (known !== undefined) return known
    const behaviour = before.get(peer) ?? createBehaviour(nowMs)
    if (current.size >= maxPeers / 2) {
      before = current
      current = new Map()
    }
    current.set(peer, behaviour)
    return behaviour
  }
  const setFaults = (peer: string, count: number): void => {
    const [oldest] = faults.size < maxPeers || faults.has(peer) ? [] : faults.keys()
    if (oldest !== undefined) faults.delete(oldest)
    faults.set(peer, count)
  }
  const lookAtCallee = (peer: string, sight: Sight): Alarm | undefined => {
    if (sight.isFault) {
      const count = (faults.get(peer) ?? 0) + 1
      setFaults(peer, count)
      if (count < maxFaultsInARow) return undefined
      return { cause: 'faults-in-a-row', reason: `${String(count)} calls in a row failed` }
    }
    if (faults.size > 0) faults.delete(peer)
    return undefined
  }
  const lookAtCaller = (peer: string, behaviour: Behaviour): Alarm | undefined => {
    const { minuteCalls, totalCalls } = behaviour
    if (totalCalls >= minRatedCalls) {
      const highest = Math.max(rateP99(behaviour) * maxRateFactor, grantedPerMinute?.(peer) ?? 0)
      if (highest > 0 && minuteCalls > highest)
        return {
          cause: 'far-above-its-rate',
          reason: `${String(minuteCalls)} calls in a minute, above ${String(Math.floor(highest))}`,
        }
    }
    const { calls, denied } = countRecent(behaviour)
    if (calls >= minAskedCalls && denied > calls * maxDeniedShare)
      return { cause: 'denied-too-often', reason: `${String(denied)} of ${String(calls)} calls in an hour were denied` }
    if (calls < minRecentCalls || countPast(behaviour) < minPastCalls) return undefined
    const divergence = computeDivergence(behaviour)
    return divergence > maxDivergence
      ? { cause: 'unlike-itself', reason: `its hour is ${divergence.toFixed(2)} nats from its 30 days` }
      : undefined
  }
  return {
    add(observed, sight, nowMs) {
      if (!('role' in observed)) return undefined
      const { peer } = observed
      let alarm: Alarm | undefined
      if (observed.role === 'callee') alarm = sight && lookAtCallee(peer, sight)
      else {
        const behaviour = behaviourOf(peer, nowMs)
        const isDenied = observed.outcome === 'refused' && isDenial(observed.code)
        addCall(behaviour, observed.capability, isDenied, nowMs)
        if (isDenied || behaviour.totalCalls % callsPerLook === 0) alarm = lookAtCaller(peer, behaviour)
      }
      if (alarm !== undefined) {
        faults.delete(peer)
        const behaviour = current.get(peer) ?? before.get(peer)
        if (behaviour) forgetRecent(behaviour)
      }
      return alarm
    },
    save(peer) {
      const behaviour = current.get(peer) ?? before.get(peer)
      const faultsInARow = faults.get(peer) ?? 0
      if ((behaviour?.totalCalls ?? 0) + faultsInARow < callsPerLook) return undefined
      const { past, rates, fadedAtMs, totalCalls } = behaviour ?? createBehaviour(0)
      return { past: [...past], rates: [...rates], fadedAtMs, totalCalls, faultsInARow }
    },
    restore(peer, { past, rates, fadedAtMs, totalCalls, faultsInARow }) {
      if (faultsInARow > 0 && !faults.has(peer)) setFaults(peer, faultsInARow)
      if (current.has(peer) || before.has(peer)) return
      const behaviour = behaviourOf(peer, fadedAtMs)
      for (const [action, calls] of past) behaviour.past.set(action, calls)
      behaviour.rates.push(...rates)
      behaviour.totalCalls = totalCalls
    },
  }
}

/** Limits and overload are no denials. */
function isDenial(code: string | undefined): boolean {
  return code === 'policy.denied' || code === 'trust.below-threshold' || code?.startsWith('delegation.') === true
}
