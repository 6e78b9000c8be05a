import pLimit, { type LimitFunction } from 'p-limit'
import { refuse, type Refusal } from '@parley/protocol'
import type { CallPair } from './reliability.ts'

/** How many calls may be in flight. */
export interface BulkheadOptions {
  /** Calls to one peer; default 256. */
  readonly perPeer?: number
  /** Calls to one peer for one capability; default 64. */
  readonly perCapability?: number
  /** Calls that may wait for a place, for each peer and for each of its capabilities; default 64. */
  readonly maxQueue?: number
  /** What a refusal suggests; default 100. */
  readonly retryAfterMs?: number
}

/** A place in flight, or in the queue for one. */
export interface BulkheadPlace {
  readonly kind: 'allow'
  /** Resolves when the call may start, and never rejects; absent where it may start at once. */
  readonly ready?: Promise<void>
  /** Gives the place back, also while it still waits. Calling it twice does nothing. Must be called, in a `finally`. */
  leave(): void
}

/** Keeps one slow peer, or one slow capability of it, from taking every place. Peers never wait for each other. */
export interface Bulkheads {
  /** Takes a place or refuses with `bulkhead.full` and `retryAfterMs`. */
  enter(call: CallPair): BulkheadPlace | Refusal
  /** Calls that are in flight or wait, by peer: empty when all left. */
  snapshot(): { readonly peer: string; readonly calls: number }[]
}

interface Compartment {
  readonly places: number
  inFlight: number
  /** One at a time waits for the next place; p-limit keeps the others in order. Made when there is somebody to wait. */
  queue?: LimitFunction
  /** Tells the one that waits that a place is free. */
  wake?: () => void
  /** Calls that are in flight or wait. */
  calls: number
}

interface Peer extends Compartment {
  readonly capabilities: Map<string, Compartment>
}

/** Creates bulkheads. A compartment exists while there are calls in it. */
export function createBulkheads(options: BulkheadOptions = {}): Bulkheads {
  const { perPeer = 256, perCapability = 64, maxQueue = 64, retryAfterMs = 100 } = options
  const peers = new Map<string, Peer>()
  const isFull = ({ calls, places }: Compartment): boolean => calls >= places + maxQueue
  return {
    enter({ peer, capability }) {
      const whole = peers.get(peer) ?? createPeer(perPeer)
      const part = whole.capabilities.get(capability) ?? createCompartment(perCapability)
      if (isFull(whole) || isFull(part)) {
        return refuse('bulkhead.full', `${peer} has ${whole.calls} calls in flight, ${part.calls} for ${capability}.`, {
          retryAfterMs,
        })
      }
      whole.calls += 1
      part.calls += 1
      peers.set(peer, whole)
      whole.capabilities.set(capability, part)
      // The narrower place first: what waits for its capability takes no place of the peer's other capabilities.
      const waiting = take(part)
      const ready = waiting ? waiting.then(() => take(whole)) : take(whole)
      const giveBack = (): void => {
        giveUp(part)
        giveUp(whole)
        if (part.calls === 0) whole.capabilities.delete(capability)
        if (whole.calls === 0) peers.delete(peer)
      }
      let hasLeft = false
      const leave = (): void => {
        if (hasLeft) return
        hasLeft = true
        if (ready) void ready.then(giveBack)
        else giveBack()
      }
      return ready ? { kind: 'allow', ready, leave } : { kind: 'allow', leave }
    },
    snapshot: () => [...peers].map(([peer, { calls }]) => ({ peer, calls })),
  }
}

function createPeer(places: number): Peer {
  return { ...createCompartment(places), capabilities: new Map<string, Compartment>() }
}

function createCompartment(places: number): Compartment {
  return { places, inFlight: 0, calls: 0 }
}

/** Takes a place: at once if one is free and nobody waits for it. */
function take(compartment: Compartment): Promise<void> | undefined {
  const { queue } = compartment
  if (compartment.inFlight < compartment.places && (!queue || queue.activeCount + queue.pendingCount === 0)) {
    compartment.inFlight += 1
    return undefined
  }
  compartment.queue ??= pLimit(1)
  return compartment.queue(async () => {
    if (compartment.inFlight >= compartment.places)
      await new Promise<void>((resolve) => {
        compartment.wake = resolve
      })
    compartment.inFlight += 1
  })
}

function giveUp(compartment: Compartment): void {
  compartment.inFlight -= 1
  compartment.calls -= 1
  compartment.wake?.()
}
