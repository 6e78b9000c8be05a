import type { Clock } from '@parley/ports'
import { capabilityCovers, MeshError, type Refusal } from '@parley/protocol'
import {
  createBreaker,
  type Breaker,
  type BreakerChange,
  type BreakerMemory,
  type BreakerState,
  type BreakerVerdict,
} from './breaker.ts'
import { createObjective, type BurnWindows, type Objective } from './objective.ts'

/** What is promised of calls. */
export interface ObjectiveTerms {
  readonly target: number
  readonly latencyMs?: number
  readonly windows?: readonly BurnWindows[]
}

/** What the gate is made of. */
export interface ReliabilityOptions {
  readonly clock: Clock
  /** `capability` is a pattern as in a credential, for instance `flights:*`; the first that covers the capability of a call counts. */
  readonly objectives?: readonly (ObjectiveTerms & { readonly capability: string })[]
  /** Counts where no objective does; default: 99 % good. */
  readonly defaults?: ObjectiveTerms
  readonly breaker?: { readonly openMs?: number; readonly goodToClose?: number; readonly probeTimeoutMs?: number }
  readonly onEvent?: (event: ReliabilityEvent) => void
  /** How many pairs of peer and capability are kept; default 10,000. */
  readonly maxPairs?: number
}

/** What the gate tells: each is worth an audit record. */
export type ReliabilityEvent = CallPair &
  (
    | ({ readonly kind: 'breaker' } & BreakerChange)
    | { readonly kind: 'budget-exhausted'; readonly target: number; readonly atMs: number }
  )

/** Whom a call goes to, and for what. `peer` is any stable key of an agent, for instance `formatAgentId`. */
export interface CallPair {
  readonly peer: string
  readonly capability: string
}

/** A step forward, its undo, or asking what became of it. */
export type CallPhase = 'forward' | 'undo' | 'lookup' | 'close'

/** The right to make one call. */
export interface CallPass {
  /** Tells how the call ended and how long it took; only the first telling counts. */
  settle(outcome: { readonly verdict: BreakerVerdict; readonly durationMs: number }): void
}

/** How one pair stands, for `doctor` and `why`. */
export interface PairState extends CallPair {
  readonly state: BreakerState
  readonly retryAfterMs?: number
  readonly reason?: string
  readonly target: number
  readonly budgetLeft: number
  readonly good: number
  readonly bad: number
}

/** What outlives the process: the breakers that are not closed. JSON-safe. */
export interface ReliabilityState {
  readonly version: 1
  readonly breakers: readonly (CallPair & BreakerMemory)[]
}

/**
 * Closes the loop from outcomes to admission, for each pair of peer and capability.
 *
 * I1. Undo and lookup always pass, and count for nothing: a way back is never gated.
 * I2. A burning objective trips the breaker; after it closed, events from before never trip it again.
 * I3. The outcome of a call that began before the last change of state is ignored.
 * I4. A breaker exists from the first bad outcome until it is closed and no bad one is left in the budget's window. At most
 *     `maxPairs` pairs are kept; closed ones that were quiet longest go first.
 */
export interface Reliability {
  /** Lets a call through, or refuses it with `breaker.open` and `retryAfterMs`. */
  admit(call: CallPair & { readonly phase?: CallPhase }): { readonly kind: 'allow'; readonly pass: CallPass } | Refusal
  /** Tells whether a call would be let through now. It asks for nothing, so a probe is left to who makes the call. */
  wouldAdmit(call: CallPair): boolean
  /** Tells how one pair stands; undefined if nothing of it is kept. */
  stateOf(call: CallPair): PairState | undefined
  /** Lists every pair that is kept, least recently used first, to the minute. */
  snapshot(): PairState[]
  exportState(): ReliabilityState
  /** Opens the breakers of an exported state. Throws `store.corrupt` if it is none. */
  importState(state: unknown): void
}

interface Pair extends CallPair {
  readonly objective: Objective
  breaker: Breaker | undefined
  /** Grows with every change of the breaker's state. */
  generation: number
  isExhausted: boolean
  /** When it last went to the end of the line of those to be dropped, in monotonic time. */
  movedAtMs: number
}

const defaultTerms: ObjectiveTerms = { target: 0.99 }
const defaultMaxPairs = 10_000
/** Moving an entry to the end of a large map is too slow for every call. */
const moveIntervalMs = 60_000
const freePass: CallPass = { settle: () => undefined }

/** Creates a gate that knows nothing yet. Throws `mesh.config-invalid` for an objective that can never burn. */
export function createReliability(options: ReliabilityOptions): Reliability {
  const { clock, objectives = [], defaults = defaultTerms, onEvent, maxPairs = defaultMaxPairs } = options
  for (const terms of [...objectives, defaults]) createObjective({ clock, ...terms })
  const pairs = new Map<string, Pair>()

  const createPair = (call: CallPair): Pair => {
    const terms = objectives.find(({ capability }) => capabilityCovers(capability, call.capability)) ?? defaults
    const objective = createObjective({ clock, ...terms })
    const { peer, capability } = call
    return { peer, capability, objective, breaker: undefined, generation: 0, isExhausted: false, movedAtMs: 0 }
  }
  const touch = (call: CallPair): Pair => {
    const key = keyOf(call)
    const now = clock.monotonic()
    const known = pairs.get(key)
    if (known && now - known.movedAtMs < moveIntervalMs) return known
    const pair = known ?? createPair(call)
    pair.movedAtMs = now
    if (known) pairs.delete(key)
    else makeRoom(pairs, maxPairs)
    pairs.set(key, pair)
    return pair
  }
  const breakerOf = (pair: Pair, memory?: BreakerMemory): Breaker => {
    const { peer, capability } = pair
    const onChange = (change: BreakerChange): void => {
      pair.generation += 1
      if (change.to === 'closed') pair.objective.rearm()
      onEvent?.({ kind: 'breaker', peer, capability, ...change })
    }
    return (pair.breaker ??= createBreaker({ clock, ...options.breaker, onChange, ...(memory && { memory }) }))
  }
  const judge = (pair: Pair): void => {
    const { peer, capability, objective, breaker } = pair
    if (!breaker || breaker.state() !== 'closed') return
    const burn = objective.burning()
    if (burn) breaker.trip(`the error budget burns at ${Number(burn.shortRate.toFixed(2))}, above ${burn.burnRate}`)
    else if (objective.counts().bad === 0) pair.breaker = undefined
    const isExhausted = objective.budgetLeft() === 0 && allowsAny(objective)
    if (isExhausted && !pair.isExhausted) {
      onEvent?.({ kind: 'budget-exhausted', peer, capability, target: objective.target, atMs: clock.now() })
    }
    pair.isExhausted = isExhausted
  }

  return {
    admit(call) {
      if (call.phase !== undefined && call.phase !== 'forward') return { kind: 'allow', pass: freePass }
      const known = pairs.get(keyOf(call))
      const admission = known?.breaker?.admit()
      if (admission?.kind === 'deny') {
        return { ...admission, reason: `${admission.reason} Peer ${call.peer}, capability ${call.capability}.` }
      }
      const begun = known?.generation ?? 0
      let isSettled = false
      const settle: CallPass['settle'] = ({ verdict, durationMs }) => {
        if (isSettled) return
        isSettled = true
        if (verdict === 'neutral') {
          admission?.pass.settle(verdict)
          return
        }
        const pair = touch(call)
        const { latencyMs } = pair.objective
        const isGood = verdict === 'good' && (latencyMs === undefined || durationMs <= latencyMs)
        if (pair.generation === begun) {
          pair.objective.record(isGood)
          if (!isGood) breakerOf(pair)
        }
        admission?.pass.settle(isGood ? 'good' : 'bad')
        judge(pair)
      }
      return { kind: 'allow', pass: { settle } }
    },
    wouldAdmit(call) {
      const breaker = pairs.get(keyOf(call))?.breaker
      return breaker?.state() !== 'open' || (breaker.memory()?.retryAfterMs ?? 0) <= 0
    },
    stateOf(call) {
      const pair = pairs.get(keyOf(call))
      return pair && describePair(pair)
    },
    snapshot: () => [...pairs.values()].map(describePair),
    exportState: () => ({
      version: 1,
      breakers: [...pairs.values()].flatMap(({ peer, capability, breaker }) => {
        const memory = breaker?.memory()
        return memory ? [{ peer, capability, ...memory }] : []
      }),
    }),
    importState(state) {
      if (!isReliabilityState(state)) {
        throw new MeshError(
          'store.corrupt',
          'The kept state of the breakers cannot be read; delete it to start without.',
        )
      }
      for (const { peer, capability, retryAfterMs, reason } of state.breakers) {
        breakerOf(touch({ peer, capability }), { retryAfterMs, reason })
      }
    },
  }
}

function keyOf({ peer, capability }: CallPair): string {
  return `${peer}\n${capability}`
}

function isClosed({ breaker }: Pair): boolean {
  return (breaker?.state() ?? 'closed') === 'closed'
}

/** Whether the budget is large enough to allow one bad event: before that, any one would exhaust it. */
function allowsAny(objective: Objective): boolean {
  const { good, bad } = objective.counts()
  return (good + bad) * (1 - objective.target) >= 1
}

function isQuiet(pair: Pair): boolean {
  const { good, bad } = pair.objective.counts()
  return good + bad === 0 && isClosed(pair)
}

/** Drops what went quiet, oldest first, and one pair more if there is no room: a closed one if any is. */
function makeRoom(pairs: Map<string, Pair>, maxPairs: number): void {
  for (const [key, pair] of pairs) {
    if (!isQuiet(pair)) break
    pairs.delete(key)
  }
  if (pairs.size < maxPairs) return
  let [victim] = pairs.keys()
  for (const [key, pair] of pairs) {
    if (!isClosed(pair)) continue
    victim = key
    break
  }
  if (victim !== undefined) pairs.delete(victim)
}

function describePair({ peer, capability, objective, breaker }: Pair): PairState {
  const state = breaker?.state() ?? 'closed'
  const { good, bad } = objective.counts()
  const standing = { peer, capability, state, target: objective.target, budgetLeft: objective.budgetLeft(), good, bad }
  return { ...standing, ...breaker?.memory() }
}

function isReliabilityState(value: unknown): value is ReliabilityState {
  if (typeof value !== 'object' || value === null) return false
  const { version, breakers } = value as Readonly<Record<string, unknown>>
  return version === 1 && Array.isArray(breakers) && breakers.every(isKeptBreaker)
}

function isKeptBreaker(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { peer, capability, retryAfterMs, reason } = value as Readonly<Record<string, unknown>>
  const isDelay = typeof retryAfterMs === 'number' && Number.isFinite(retryAfterMs) && retryAfterMs >= 0
  return typeof peer === 'string' && typeof capability === 'string' && typeof reason === 'string' && isDelay
}
