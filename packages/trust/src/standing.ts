import { mapDimensions, startDimensions, weighDimensions, type Dimensions } from './dimensions.ts'
import { earnedCeiling } from './earned-ceiling.ts'
import { decayScore } from './idle-decay.ts'
import type { OutcomeRow } from './outcome-table.ts'
import { tierAfter, tierOf, type Tier } from './tier.ts'

/** Names the rules of this file and its tables; written with everything that was computed by them. */
export const trustModel = 'parley-trust/1'

/** How far one observation moves a dimension towards its value. */
export const learningRate = 0.1

/** How many faults in a row are an incident. */
export const faultsPerIncident = 5

/** How severe such an incident is: 1 would take 100 points. */
export const faultIncidentSeverity = 0.5

/** What is known of a peer, overall or for one capability. A value: observing makes another one. */
export interface Standing {
  readonly dimensions: Dimensions
  /** Kept, because a tier is left later than it is entered. */
  readonly tier: Tier
  readonly evidenceCount: number
  readonly verified: number
  readonly firstVerifiedAtMs: number
  readonly lastVerifiedAtMs: number
  readonly faultsInARow: number
  /** The time of the newest evidence; idle decay counts from it. */
  readonly atMs: number
}

/** Creates the standing of a peer without evidence. */
export function createStanding(startScore: number, atMs: number): Standing {
  return {
    dimensions: startDimensions(startScore),
    tier: tierOf(startScore),
    evidenceCount: 0,
    verified: 0,
    firstVerifiedAtMs: 0,
    lastVerifiedAtMs: 0,
    faultsInARow: 0,
    atMs,
  }
}

/** Returns the score at a time: the weighted dimensions after idle decay, under the earned ceiling, rounded. */
export function scoreAt(standing: Standing, nowMs: number): number {
  const decayed = decayScore(weighDimensions(standing.dimensions), nowMs - standing.atMs)
  return Math.min(earnedCeilingOf(standing), Math.round(decayed))
}

/** Returns the tier at a time. */
export function tierAt(standing: Standing, nowMs: number): Tier {
  return tierAfter(standing.tier, scoreAt(standing, nowMs))
}

/** Returns the ceiling that the record of a standing allows. */
export function earnedCeilingOf(standing: Standing): number {
  const { verified, firstVerifiedAtMs, lastVerifiedAtMs } = standing
  return earnedCeiling({ verified, spanMs: lastVerifiedAtMs - firstVerifiedAtMs })
}

/**
 * Folds one observation: idle decay up to `atMs` first, then each dimension of the row by an exponential average, then, at
 * every fifth fault in a row, the incident at once. Evidence from before the newest counts as if it came with it.
 */
export function observeOutcome(standing: Standing, row: OutcomeRow, observedAtMs: number): Standing {
  const atMs = Math.max(standing.atMs, observedAtMs)
  const rested = rest(standing, atMs)
  let dimensions = mapDimensions(rested.dimensions, (value, name) => {
    const target = row.values[name]
    return target === undefined ? value : value + learningRate * (target * 100 - value)
  })
  const faultsInARow = row.fault ? rested.faultsInARow + 1 : row.role === 'callee' ? 0 : rested.faultsInARow
  if (row.fault && faultsInARow % faultsPerIncident === 0) dimensions = cutByIncident(dimensions, faultIncidentSeverity)
  const { verified } = rested
  const next = {
    dimensions,
    tier: rested.tier,
    evidenceCount: rested.evidenceCount + 1,
    verified: row.verified ? verified + 1 : verified,
    firstVerifiedAtMs: row.verified && verified === 0 ? atMs : rested.firstVerifiedAtMs,
    lastVerifiedAtMs: row.verified ? atMs : rested.lastVerifiedAtMs,
    faultsInARow,
    atMs: rested.atMs,
  }
  next.tier = tierAfter(rested.tier, scoreAt(next, atMs))
  return next
}

/** Takes 10 × severity from every dimension, which is 100 × severity from the score. */
export function cutByIncident(dimensions: Dimensions, severity: number): Dimensions {
  return mapDimensions(dimensions, (value) => value - 10 * severity)
}

function rest(standing: Standing, atMs: number): Standing {
  const score = weighDimensions(standing.dimensions)
  const decayed = decayScore(score, atMs - standing.atMs)
  if (decayed === score) return { ...standing, atMs }
  const dimensions = mapDimensions(standing.dimensions, (value) => (value * decayed) / score)
  return { ...standing, dimensions, tier: tierAt(standing, atMs), atMs }
}
