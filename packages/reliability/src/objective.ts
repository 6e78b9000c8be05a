import type { Clock } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { createSlidingWindow, type SlidingWindow, type WindowCounts } from './sliding-window.ts'

/** Two windows that must both burn: the long one says that it matters, the short one that it still goes on. */
export interface BurnWindows {
  readonly longMs: number
  readonly shortMs: number
  /** The burn rate that both must exceed. */
  readonly burnRate: number
}

/** What an objective is made of. */
export interface ObjectiveOptions {
  readonly clock: Clock
  /** Share of events that shall be good, between 0 and 1, for instance 0.995. */
  readonly target: number
  /** A success that takes longer than this is bad. */
  readonly latencyMs?: number
  /** Default `defaultBurnWindows`. */
  readonly windows?: readonly BurnWindows[]
  /** Length of the error budget's window; default 24 hours. */
  readonly budgetMs?: number
}

/** A pair that burns: how fast its two windows spend the budget. */
export interface Burn extends BurnWindows {
  readonly longRate: number
  readonly shortRate: number
}

/**
 * A service level objective and what is left of its error budget.
 *
 * I1. Without events nothing burns (rate 0) and the whole budget is left.
 * I2. A pair starts to burn when both windows are above its rate and hold at least 20 events each; it ends when the short
 *     window is below half the rate (hysteresis, so that nothing flaps).
 * I3. Memory does not grow with events.
 */
export interface Objective {
  readonly target: number
  readonly latencyMs: number | undefined
  record(isGood: boolean): void
  /** Share of the error budget that is left, 0 to 1. */
  budgetLeft(): number
  /** How many times faster than allowed the budget goes in a window of this objective: bad ratio / (1 − target). */
  burnRate(windowMs: number): number
  /** The first pair that burns, most urgent first. */
  burning(): Burn | undefined
  /** Events in the budget's window. */
  counts(): WindowCounts
  /** Forgets the events that could burn, but not the budget that they spent. */
  rearm(): void
}

/** The paging pairs of the Google SRE workbook: 2 % of a 30 days' budget in an hour, 5 % in six. */
export const defaultBurnWindows: readonly BurnWindows[] = [
  { longMs: 3_600_000, shortMs: 300_000, burnRate: 14.4 },
  { longMs: 21_600_000, shortMs: 1_800_000, burnRate: 6 },
]

/** Below this many events a ratio says nothing. */
export const minBurnEvents: number = 20

const defaultBudgetMs = 86_400_000
const endOfBurnShare = 0.5

/**
 * Creates an objective without events. Throws `mesh.config-invalid` for a target outside (0, 1), or one so low that not
 * even nothing but bad events could exceed any of its burn rates.
 */
export function createObjective(options: ObjectiveOptions): Objective {
  const { clock, target, latencyMs, windows = defaultBurnWindows, budgetMs = defaultBudgetMs } = options
  const allowedRatio = roundRatio(1 - target)
  if (!(target > 0 && target < 1) || !windows.some(({ burnRate }) => 1 / allowedRatio > burnRate)) {
    throw new MeshError(
      'mesh.config-invalid',
      `an objective of ${target} can never burn: give one like 0.99, or windows`,
    )
  }
  const budget = createSlidingWindow(clock, budgetMs)
  const byLength = new Map<number, SlidingWindow>()
  for (const windowMs of windows.flatMap(({ longMs, shortMs }) => [longMs, shortMs])) {
    if (!byLength.has(windowMs)) byLength.set(windowMs, createSlidingWindow(clock, windowMs))
  }
  const burningPairs = new Set<BurnWindows>()
  const countsOf = (windowMs: number): WindowCounts => {
    const window = byLength.get(windowMs) ?? (windowMs === budgetMs ? budget : undefined)
    if (!window) throw new RangeError(`the objective has no window of ${windowMs} ms`)
    return window.counts()
  }
  const burnRate = (windowMs: number): number => {
    const { good, bad } = countsOf(windowMs)
    return bad === 0 ? 0 : roundRatio(bad / (good + bad) / allowedRatio)
  }
  const hasEnough = (windowMs: number): boolean => {
    const { good, bad } = countsOf(windowMs)
    return good + bad >= minBurnEvents
  }
  const isBurning = (pair: BurnWindows): boolean => {
    if (burningPairs.has(pair)) return burnRate(pair.shortMs) >= pair.burnRate * endOfBurnShare
    return [pair.longMs, pair.shortMs].every((windowMs) => hasEnough(windowMs) && burnRate(windowMs) > pair.burnRate)
  }
  return {
    target,
    latencyMs,
    record(isGood) {
      budget.record(isGood)
      for (const window of byLength.values()) window.record(isGood)
    },
    budgetLeft() {
      const { good, bad } = budget.counts()
      return bad === 0 ? 1 : Math.max(0, roundRatio(1 - bad / ((good + bad) * allowedRatio)))
    },
    burnRate,
    burning() {
      for (const pair of windows) {
        if (isBurning(pair)) burningPairs.add(pair)
        else burningPairs.delete(pair)
      }
      const [pair] = burningPairs
      return pair && { ...pair, longRate: burnRate(pair.longMs), shortRate: burnRate(pair.shortMs) }
    },
    counts: () => budget.counts(),
    rearm() {
      burningPairs.clear()
      for (const window of byLength.values()) window.clear()
    },
  }
}

/** Removes what binary fractions add: 1 − 0.995 is 0.005 here. */
function roundRatio(value: number): number {
  return Math.round(value * 1e9) / 1e9
}
