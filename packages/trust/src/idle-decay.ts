/** How idleness wears a score down. */
export interface IdleDecay {
  /** Points that an idle hour takes, of hours in which the rater ran. */
  readonly pointsPerHour: number
  /** The score below which idleness takes nothing: what is lower rises and falls by evidence only. */
  readonly floor: number
}

/** The decay of the default model. */
export const defaultIdleDecay: IdleDecay = { pointsPerHour: 2, floor: 700 }

const hourMs = 3_600_000

/** Returns what is left of a score after `elapsedMs` without evidence. Applied in parts it gives the same. */
export function decayScore(decay: IdleDecay, score: number, elapsedMs: number): number {
  if (score <= decay.floor) return score
  return Math.max(decay.floor, score - (Math.max(0, elapsedMs) / hourMs) * decay.pointsPerHour)
}
