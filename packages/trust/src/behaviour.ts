/** What a peer does, so far as it can be compared with its own past. */
export interface Behaviour {
  /** Ten-minute slots of the recent hour, the newest last: calls and denials by capability. */
  readonly slots: BehaviourSlot[]
  /** Calls by capability of the last 30 days, older ones fading. */
  readonly past: Map<string, number>
  /** Minutes with calls by their rate, in bands of a quarter of a doubling, of the last 30 days, older ones fading. */
  readonly rates: number[]
  fadedAtMs: number
  minuteStartMs: number
  minuteCalls: number
  totalCalls: number
}

/** Ten minutes of a peer. */
export interface BehaviourSlot {
  readonly startMs: number
  readonly calls: Map<string, number>
  denied: number
}

const slotMs = 600_000
const slotsPerHour = 6
const minuteMs = 60_000
const memoryMs = 30 * 86_400_000
/** Further capabilities count as one: what is rare weighs little in a distribution. */
const maxActions = 32
const rateBandsPerDoubling = 4
const maxRateBands = 64

/** Creates the behaviour of a peer that did nothing yet. */
export function createBehaviour(nowMs: number): Behaviour {
  return {
    slots: [],
    past: new Map(),
    rates: [],
    fadedAtMs: nowMs,
    minuteStartMs: nowMs,
    minuteCalls: 0,
    totalCalls: 0,
  }
}

/** Adds one call. */
export function addCall(behaviour: Behaviour, capability: string, isDenied: boolean, nowMs: number): void {
  const { slots, past } = behaviour
  if (nowMs >= behaviour.minuteStartMs + minuteMs) {
    if (behaviour.minuteCalls > 0) addRate(behaviour, behaviour.minuteCalls)
    behaviour.minuteStartMs = nowMs - (nowMs % minuteMs)
    behaviour.minuteCalls = 0
  }
  behaviour.minuteCalls++
  behaviour.totalCalls++
  let slot = slots.at(-1)
  if (slot === undefined || nowMs >= slot.startMs + slotMs) {
    slot = { startMs: nowMs - (nowMs % slotMs), calls: new Map(), denied: 0 }
    slots.push(slot)
    leaveHour(behaviour, nowMs)
  }
  const isKnown = slot.calls.has(capability) || past.has(capability)
  const action = isKnown || slot.calls.size + past.size < maxActions ? capability : 'other'
  slot.calls.set(action, (slot.calls.get(action) ?? 0) + 1)
  if (isDenied) slot.denied++
}

/** Tells how many calls of the recent hour there were, and how many of them were denied. */
export function countRecent({ slots }: Behaviour): { readonly calls: number; readonly denied: number } {
  let calls = 0
  let denied = 0
  for (const slot of slots) {
    denied += slot.denied
    for (const count of slot.calls.values()) calls += count
  }
  return { calls, denied }
}

/**
 * Returns the Kullback-Leibler divergence, in nats, of what the peer asks for in the recent hour from what it asked for in
 * 30 days, both with half a call of each added: what was never seen before is unlikely, not impossible.
 */
export function computeDivergence({ slots, past }: Behaviour): number {
  const recent = new Map<string, number>()
  for (const { calls } of slots)
    for (const [action, count] of calls) recent.set(action, (recent.get(action) ?? 0) + count)
  const actions = new Set([...recent.keys(), ...past.keys()])
  const recentSum = sum(recent.values()) + actions.size / 2
  const pastSum = sum(past.values()) + actions.size / 2
  let divergence = 0
  for (const action of actions) {
    const now = ((recent.get(action) ?? 0) + 0.5) / recentSum
    const before = ((past.get(action) ?? 0) + 0.5) / pastSum
    divergence += now * Math.log(now / before)
  }
  return divergence
}

/** Returns how many calls of 30 days there are to compare with. */
export function countPast({ past }: Behaviour): number {
  return sum(past.values())
}

/** Returns the calls a minute that 99 of 100 minutes with calls stay under. */
export function rateP99({ rates }: Behaviour): number {
  const bar = sum(rates) * 0.99
  let below = 0
  for (let band = 0; band < rates.length; band++) {
    below += rates[band] ?? 0
    if (below >= bar) return 2 ** ((band + 1) / rateBandsPerDoubling)
  }
  return 0
}

/** Forgets the recent hour, which was judged. */
export function forgetRecent(behaviour: Behaviour): void {
  behaviour.slots.length = 0
  behaviour.minuteCalls = 0
}

/** Moves what is older than an hour into the past. */
function leaveHour(behaviour: Behaviour, nowMs: number): void {
  const { slots, past } = behaviour
  while ((slots[0]?.startMs ?? nowMs) <= nowMs - slotMs * slotsPerHour) {
    fade(behaviour, nowMs)
    for (const [action, count] of slots.shift()?.calls ?? []) {
      const kept = past.has(action) || past.size < maxActions ? action : 'other'
      past.set(kept, (past.get(kept) ?? 0) + count)
    }
  }
}

function addRate({ rates }: Behaviour, calls: number): void {
  const band = Math.min(maxRateBands - 1, Math.floor(Math.log2(calls) * rateBandsPerDoubling))
  while (rates.length <= band) rates.push(0)
  rates[band] = (rates[band] ?? 0) + 1
}

function fade(behaviour: Behaviour, nowMs: number): void {
  const share = Math.exp(-Math.max(0, nowMs - behaviour.fadedAtMs) / memoryMs)
  behaviour.fadedAtMs = nowMs
  for (const [action, count] of behaviour.past) {
    if (count * share < 0.01) behaviour.past.delete(action)
    else behaviour.past.set(action, count * share)
  }
  for (let band = 0; band < behaviour.rates.length; band++) behaviour.rates[band] = (behaviour.rates[band] ?? 0) * share
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
