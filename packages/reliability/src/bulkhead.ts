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
  /** Resolves when the call may start. Never rejects. */
  readonly ready: Promise<void>
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
  readonly limit: LimitFunction
  readonly maxCalls: number
  calls: number
}

/** Creates bulkheads. A compartment exists while there are calls in it. */
export function createBulkheads(options: BulkheadOptions = {}): Bulkheads {
  const { perPeer = 256, perCapability = 64, maxQueue = 64, retryAfterMs = 100 } = options
  const peers = new Map<string, Compartment>()
  const capabilities = new Map<string, Compartment>()
  return {
    enter({ peer, capability }) {
      const key = `${peer}\n${capability}`
      const whole = peers.get(peer) ?? createCompartment(perPeer, maxQueue)
      const part = capabilities.get(key) ?? createCompartment(perCapability, maxQueue)
      if (isFull(whole) || isFull(part)) {
        return refuse('bulkhead.full', `${peer} has ${whole.calls} calls in flight, ${part.calls} for ${capability}.`, {
          retryAfterMs,
        })
      }
      const left = Promise.withResolvers<void>()
      const ready = Promise.withResolvers<void>()
      const hold = (): Promise<void> => {
        ready.resolve()
        return left.promise
      }
      const forget = [occupy(peers, peer, whole), occupy(capabilities, key, part)]
      // The narrower place first: what waits for its capability takes no place of the peer's other capabilities.
      void part.limit(() => whole.limit(hold)).finally(() => forget.forEach((undo) => undo()))
      return { kind: 'allow', ready: ready.promise, leave: left.resolve }
    },
    snapshot: () => [...peers].map(([peer, { calls }]) => ({ peer, calls })),
  }
}

function createCompartment(concurrency: number, maxQueue: number): Compartment {
  return { limit: pLimit(concurrency), maxCalls: concurrency + maxQueue, calls: 0 }
}

function isFull(compartment: Compartment): boolean {
  return compartment.calls >= compartment.maxCalls
}

/** Counts a call in, and returns what counts it out and drops an empty compartment. */
function occupy(all: Map<string, Compartment>, key: string, compartment: Compartment): () => void {
  compartment.calls += 1
  all.set(key, compartment)
  return () => {
    compartment.calls -= 1
    if (compartment.calls === 0) all.delete(key)
  }
}
