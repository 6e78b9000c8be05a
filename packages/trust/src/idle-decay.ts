/** How many points a score loses in an idle hour. */
export const decayPerHour = 2

/** The score below which idleness takes nothing: what is lower rises and falls by evidence only. */
export const decayFloor = 700

const hourMs = 3_600_000

/** Returns what is left of a score after `elapsedMs` without evidence. Applied in parts it gives the same. */
export function decayScore(score: number, elapsedMs: number): number {
  if (score <= decayFloor) return score
  return Math.max(decayFloor, score - (Math.max(0, elapsedMs) / hourMs) * decayPerHour)
}
