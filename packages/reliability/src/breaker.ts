import CircuitBreaker from 'opossum'
import type { Clock } from '@parley/ports'
import { refuse, type Refusal } from '@parley/protocol'

/** Whether calls pass: `half-open` lets one at a time through, to try. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** What an outcome means for a breaker. `neutral` says nothing about the callee: it neither opens nor closes. */
export type BreakerVerdict = 'good' | 'bad' | 'neutral'

/** A change of state. `atMs` is wall time. */
export interface BreakerChange {
  readonly from: BreakerState
  readonly to: BreakerState
  readonly reason: string
  readonly atMs: number
}

/** What of a breaker outlives the process: JSON-safe, undefined while it is closed. */
export interface BreakerMemory {
  readonly retryAfterMs: number
  readonly reason: string
}

/** What a breaker is made of. */
export interface BreakerOptions {
  readonly clock: Clock
  /** How long it stays open before it lets a probe through; default 5,000. */
  readonly openMs?: number
  /** How many good probes in a row close it; default 3. */
  readonly goodToClose?: number
  /** After how long a probe that was never settled counts as bad; default 60,000. */
  readonly probeTimeoutMs?: number
  readonly onChange?: (change: BreakerChange) => void
  /** Starts open, as it was before a restart. */
  readonly memory?: BreakerMemory
}

/** The right to make one call. */
export interface BreakerPass {
  /** Tells the outcome; only the first telling counts. */
  settle(verdict: BreakerVerdict): void
}

/**
 * Refuses calls to what fails. opossum holds the state (closed, open, half-open, and the one place of a probe); when it
 * changes is decided here, by verdicts and the Clock port.
 *
 * I1. While closed it counts nothing: the objective does, and `trip` opens.
 * I2. Half-open admits one call at a time; `goodToClose` good ones in a row close, a bad one opens, a neutral one gives its
 *     place back.
 * I3. The outcome of a call that began before the last change of state is ignored.
 * I4. No timer of opossum runs.
 */
export interface Breaker {
  state(): BreakerState
  /** Lets a call through or refuses it with `breaker.open` and `retryAfterMs`. */
  admit(): { readonly kind: 'allow'; readonly pass: BreakerPass } | Refusal
  /** Opens a closed breaker; does nothing to one that is open or half-open already. */
  trip(reason: string): void
  memory(): BreakerMemory | undefined
}

const defaultOpenMs = 5_000
const defaultGoodToClose = 3
const defaultProbeTimeoutMs = 60_000
/** While a probe is on its way there is nothing better to say than: soon. */
const busyRetryMs = 250

/** Creates a closed breaker, or an open one from `memory`. */
export function createBreaker(options: BreakerOptions): Breaker {
  const { clock, openMs = defaultOpenMs, goodToClose = defaultGoodToClose, onChange, memory } = options
  const { probeTimeoutMs = defaultProbeTimeoutMs } = options
  let circuit = createCircuit('closed')
  let generation = 0
  let goodInRow = 0
  let openUntilMs = 0
  let probeUntilMs: number | undefined
  let reason = ''

  const enter = (to: BreakerState, why: string): void => {
    const from = stateOf(circuit)
    if (to === 'open') circuit.open()
    else if (to === 'closed') circuit.close()
    else circuit = replaceCircuit(circuit)
    generation += 1
    goodInRow = 0
    probeUntilMs = undefined
    if (to === 'open') {
      openUntilMs = clock.monotonic() + openMs
      reason = why
    }
    onChange?.({ from, to, reason: why, atMs: clock.now() })
  }
  const followClock = (): void => {
    const now = clock.monotonic()
    if (circuit.opened && now >= openUntilMs) enter('half-open', 'the pause is over')
    else if (probeUntilMs !== undefined && now >= probeUntilMs) enter('open', 'a probe was never settled')
  }
  const settleProbe = (verdict: BreakerVerdict): void => {
    if (verdict === 'good') goodInRow += 1
    if (verdict === 'bad') enter('open', 'a probe failed')
    else if (goodInRow >= goodToClose) enter('closed', `${goodToClose} probes in a row were good`)
    else {
      circuit = replaceCircuit(circuit)
      probeUntilMs = undefined
    }
  }
  const createPass = (): BreakerPass => {
    const begun = generation
    let isSettled = false
    return {
      settle(verdict) {
        if (isSettled) return
        isSettled = true
        followClock()
        if (begun === generation && circuit.halfOpen) settleProbe(verdict)
      },
    }
  }
  const retryAfterMs = (): number =>
    circuit.opened ? Math.max(1, Math.ceil(openUntilMs - clock.monotonic())) : busyRetryMs

  if (memory) {
    circuit.open()
    openUntilMs = clock.monotonic() + Math.min(memory.retryAfterMs, openMs)
    reason = memory.reason
  }

  return {
    state() {
      followClock()
      return stateOf(circuit)
    },
    admit() {
      followClock()
      if (circuit.closed) return { kind: 'allow', pass: createPass() }
      if (!takePlace(circuit))
        return refuse('breaker.open', `The breaker is open: ${reason}.`, { retryAfterMs: retryAfterMs() })
      probeUntilMs = clock.monotonic() + probeTimeoutMs
      return { kind: 'allow', pass: createPass() }
    },
    trip(why) {
      followClock()
      if (circuit.closed) enter('open', why)
    },
    memory() {
      followClock()
      return circuit.closed ? undefined : { retryAfterMs: circuit.opened ? retryAfterMs() : 0, reason }
    },
  }
}

/**
 * What is used of opossum 10, whose own types are for 8. Its action is only told that it was let through and never ends:
 * verdicts come by `open`, `close` and a new circuit, so that a state holds from the moment a verdict is told.
 */
interface Circuit {
  readonly closed: boolean
  readonly opened: boolean
  readonly halfOpen: boolean
  open(): void
  close(): void
  shutdown(): void
  fire(onAdmitted: () => void): Promise<never>
  removeAllListeners(event: 'open'): unknown
}

type CircuitConstructor = new (
  action: (onAdmitted: () => void) => Promise<never>,
  settings: Readonly<Record<string, unknown>>,
) => Circuit

const Opossum = CircuitBreaker as unknown as CircuitConstructor

/** Stands for the timer that rotates opossum's statistics, which nobody reads: given one, opossum starts none. */
const stillRotation = { on: () => undefined, removeListener: () => undefined, listenerCount: () => 1 }

function createCircuit(state: 'closed' | 'half-open'): Circuit {
  const admit = (onAdmitted: () => void): Promise<never> => {
    onAdmitted()
    return new Promise<never>(() => undefined)
  }
  const circuit = new Opossum(admit, {
    name: 'parley',
    timeout: false,
    errorThresholdPercentage: 100,
    volumeThreshold: Number.MAX_SAFE_INTEGER,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    rotateBucketController: stillRotation,
    state: { closed: state === 'closed', halfOpen: state === 'half-open' },
  })
  // This listener starts the timer that would half-open the circuit by opossum's own clock.
  circuit.removeAllListeners('open')
  return circuit
}

/** Frees the one place of a half-open circuit, or half-opens an open one: opossum does either only by its own timer. */
function replaceCircuit(circuit: Circuit): Circuit {
  circuit.shutdown()
  return createCircuit('half-open')
}

/** Asks opossum for the place of the probe; it answers before it returns. */
function takePlace(circuit: Circuit): boolean {
  let isAdmitted = false
  const fired = circuit.fire(() => {
    isAdmitted = true
  })
  // A refusal is read from `isAdmitted`; the rejection says the same once more.
  fired.catch(() => undefined)
  return isAdmitted
}

function stateOf(circuit: Circuit): BreakerState {
  if (circuit.opened) return 'open'
  return circuit.halfOpen ? 'half-open' : 'closed'
}
