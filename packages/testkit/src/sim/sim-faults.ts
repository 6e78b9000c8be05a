import type { Random } from '@parley/ports'

/** How probable each fault is, 0 to 1, and how bad it gets. */
export interface SimFaultRates {
  /** For each unit that arrives. */
  readonly drop: number
  readonly duplicate: number
  /** Holds a unit back, up to `delayMs`; those behind it overtake it. */
  readonly delay: number
  readonly delayMs: number
  /** For each point that a process passes: a journal write, an effect, a unit that leaves. */
  readonly crash: number
  /** A process that died comes back after up to this long. */
  readonly downMs: number
  readonly pause: number
  readonly pauseMs: number
  /** The wall clock of a process jumps, by up to `jumpMs` both ways. */
  readonly jump: number
  readonly jumpMs: number
  /** A process is cut off the bus, and knows it, for up to `downMs`. */
  readonly cut: number
}

/** No faults. */
export const calm: SimFaultRates = {
  drop: 0,
  duplicate: 0,
  delay: 0,
  delayMs: 0,
  crash: 0,
  downMs: 0,
  pause: 0,
  pauseMs: 0,
  jump: 0,
  jumpMs: 0,
  cut: 0,
}

/**
 * Draws what goes wrong in one run. Each fault is left out of half of the runs, so that the others are not always drowned
 * by it.
 */
export function drawFaultRates(random: Random): SimFaultRates {
  const upTo = (most: number): number => (random.float() < 0.5 ? 0 : random.float() * most)
  return {
    drop: upTo(0.15),
    duplicate: upTo(0.3),
    delay: upTo(0.5),
    delayMs: 200 + random.float() * 8_000,
    crash: upTo(0.03),
    downMs: 100 + random.float() * 5_000,
    pause: upTo(0.02),
    pauseMs: 100 + random.float() * 10_000,
    jump: upTo(0.01),
    jumpMs: 20_000,
    cut: upTo(0.01),
  }
}
