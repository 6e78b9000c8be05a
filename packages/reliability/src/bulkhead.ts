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
  /** Whether the call has to wait for `ready`. */
  readonly waits: boolean
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
  readonly key: string
  readonly places: number
  /** Calls that entered and have not left. */
  calls: number
  /** Places that are taken. */
  taken: number
  /** Calls that wait for a place, the oldest first. */
  readonly waiting: Set<() => void>
}

const atOnce = Promise.resolve()

/** Creates bulkheads. A compartment exists while there are calls in it. */
export function createBulkheads(options: BulkheadOptions = {}): Bulkheads {
  const { perPeer = 256, perCapability = 64, maxQueue = 64, retryAfterMs = 100 } = options
  const peers = new Map<string, Compartment>()
  const capabilities = new Map<string, Compartment>()
  const isFull = ({ calls, places }: Compartment): boolean => calls >= places + maxQueue
  return {
    enter({ peer, capability }) {
      const whole = findCompartment(peers, peer, perPeer)
      const part = findCompartment(capabilities, `${peer}\n${capability}`, perCapability)
      if (isFull(whole) || isFull(part)) {
        return refuse('bulkhead.full', `${peer} has ${whole.calls} calls in flight, ${part.calls} for ${capability}.`, {
          retryAfterMs,
        })
      }
      countIn(peers, whole)
      countIn(capabilities, part)
      let state: 'waits-for-part' | 'waits-for-whole' | 'runs' | 'left' = 'waits-for-part'
      let tellReady: (() => void) | undefined
      const run = (): void => {
        state = 'runs'
        tellReady?.()
      }
      // The narrower place first: what waits for its capability takes no place of the peer's other capabilities.
      const goOn = (): void => {
        state = 'waits-for-whole'
        takePlace(whole, run)
      }
      takePlace(part, goOn)
      const leave = (): void => {
        const before = state
        if (before === 'left') return
        state = 'left'
        if (before === 'waits-for-part') part.waiting.delete(goOn)
        else {
          if (before === 'runs') givePlace(whole)
          else whole.waiting.delete(run)
          givePlace(part)
        }
        countOut(capabilities, part)
        countOut(peers, whole)
      }
      if (isRunning(state)) return { kind: 'allow', waits: false, ready: atOnce, leave }
      const ready = new Promise<void>((resolve) => {
        tellReady = resolve
      })
      return { kind: 'allow', waits: true, ready, leave }
    },
    snapshot: () => [...peers.values()].map(({ key, calls }) => ({ peer: key, calls })),
  }
}

function findCompartment(all: ReadonlyMap<string, Compartment>, key: string, places: number): Compartment {
  return all.get(key) ?? { key, places, calls: 0, taken: 0, waiting: new Set() }
}

/** Asks of a state that callbacks change behind the compiler's back. */
function isRunning(state: string): boolean {
  return state === 'runs'
}

/** Calls `start` once there is a place: now, or when another call gives its one. */
function takePlace(compartment: Compartment, start: () => void): void {
  if (compartment.taken >= compartment.places) {
    compartment.waiting.add(start)
    return
  }
  compartment.taken += 1
  start()
}

/** Hands a place to the call that waits longest, or back. */
function givePlace(compartment: Compartment): void {
  if (compartment.waiting.size === 0) {
    compartment.taken -= 1
    return
  }
  const [next] = compartment.waiting
  if (!next) return
  compartment.waiting.delete(next)
  next()
}

function countIn(all: Map<string, Compartment>, compartment: Compartment): void {
  if (compartment.calls === 0) all.set(compartment.key, compartment)
  compartment.calls += 1
}

function countOut(all: Map<string, Compartment>, compartment: Compartment): void {
  compartment.calls -= 1
  if (compartment.calls === 0) all.delete(compartment.key)
}
