import { dimensionNames } from './dimensions.ts'
import { earnedCeiling } from './earned-ceiling.ts'
import { decayScore } from './idle-decay.ts'
import type { Sight } from './sight.ts'
import { tierIndexAfter, tierIndexOf } from './tier.ts'
import type { TrustModel } from './trust-model.ts'

/** How far one observation moves a dimension towards its value. */
const learningRate = 0.1

/** How many faults in a row are an incident. */
const faultsPerIncident = 5

/** How severe such an incident is: 1 would take 100 points. */
const faultIncidentSeverity = 0.5

/**
 * Where a standing has what, in cells that many of them share: a page of objects would cost a hundred thousand peers four
 * times the memory. The dimensions come first, in their order.
 */
export const cell = {
  /** Place in `tierBars`; kept, because a tier is left later than it is entered. */
  tier: 5,
  evidenceCount: 6,
  verified: 7,
  firstVerifiedAtMs: 8,
  lastVerifiedAtMs: 9,
  faultsInARow: 10,
  /** The time of the newest evidence; idle decay counts from it. */
  atMs: 11,
  start: 12,
  /** The score when the newest evidence was folded, before any idle time. */
  score: 13,
} as const

/** How many cells a standing has. */
export const standingCells = 14

const dimensionCount = dimensionNames.length

/** Says how long the rater ran between two times, in milliseconds. */
export type RunningMs = (fromMs: number, toMs: number) => number

/** Makes the standing of a peer without evidence. */
export function startStanding(cells: Float64Array, at: number, start: number, atMs: number): void {
  cells.fill(0, at, at + standingCells)
  for (let index = 0; index < dimensionNames.length; index++) cells[at + index] = start / 10
  cells[at + cell.tier] = tierIndexOf(start)
  cells[at + cell.atMs] = atMs
  cells[at + cell.start] = start
  cells[at + cell.score] = start
}

/** Returns the score after `restedMs` without evidence: weighted dimensions, decay, earned ceiling, rounded. */
export function scoreOf(model: TrustModel, cells: Float64Array, at: number, restedMs: number): number {
  const decayed = decayScore(model.idleDecay, weigh(model, cells, at), restedMs)
  return Math.min(earnedCeilingOf(model, cells, at), Math.round(decayed))
}

/** Returns the ceiling that the record of a standing allows. */
export function earnedCeilingOf(model: TrustModel, cells: Float64Array, at: number): number {
  const spanMs = read(cells, at + cell.lastVerifiedAtMs) - read(cells, at + cell.firstVerifiedAtMs)
  return earnedCeiling(model.earnedSteps, read(cells, at + cell.verified), spanMs)
}

/** Returns the weighted sum of the dimensions, from 0 to 1000, before any ceiling. */
export function weigh({ weights }: TrustModel, cells: Float64Array, at: number): number {
  // Written out: it is most of what a piece of evidence costs. The order of the sum is part of the model.
  const sum =
    read(cells, at) * (weights[0] ?? 0) +
    read(cells, at + 1) * (weights[1] ?? 0) +
    read(cells, at + 2) * (weights[2] ?? 0) +
    read(cells, at + 3) * (weights[3] ?? 0) +
    read(cells, at + 4) * (weights[4] ?? 0)
  return Math.min(1000, Math.max(0, sum * 10))
}

/**
 * Folds one observation: idle decay up to it first, then each dimension that it speaks of by an exponential average, then
 * what cuts at once. Evidence from before the newest counts as if it came with it. Returns the faults in a row that made
 * an incident, otherwise 0.
 */
export function foldSight(
  model: TrustModel,
  cells: Float64Array,
  at: number,
  sight: Sight,
  observedAtMs: number,
  runningMs: RunningMs,
): number {
  const restedFromMs = read(cells, at + cell.atMs)
  const atMs = Math.max(restedFromMs, observedAtMs)
  rest(model, cells, at, restedFromMs, atMs, runningMs)
  const { targets } = sight
  for (let index = 0; index < dimensionCount; index++) {
    const target = targets[index] ?? -1
    if (target < 0) continue
    const value = read(cells, at + index)
    cells[at + index] = value + learningRate * (target - value)
  }
  let incidentFaults = 0
  if (sight.isFault) {
    const faults = read(cells, at + cell.faultsInARow) + 1
    cells[at + cell.faultsInARow] = faults
    if (faults % faultsPerIncident === 0) {
      incidentFaults = faults
      cut(cells, at, faultIncidentSeverity)
    }
  } else if (sight.isCallee) cells[at + cell.faultsInARow] = 0
  if (sight.severity > 0) cut(cells, at, sight.severity)
  cells[at + cell.evidenceCount] = read(cells, at + cell.evidenceCount) + 1
  if (sight.isVerified) {
    const verified = read(cells, at + cell.verified)
    if (verified === 0) cells[at + cell.firstVerifiedAtMs] = atMs
    cells[at + cell.verified] = verified + 1
    cells[at + cell.lastVerifiedAtMs] = atMs
  }
  cells[at + cell.atMs] = atMs
  const score = scoreOf(model, cells, at, 0)
  cells[at + cell.score] = score
  cells[at + cell.tier] = tierIndexAfter(read(cells, at + cell.tier), score)
  return incidentFaults
}

/** Reads a cell. */
export function read(cells: Float64Array, at: number): number {
  return cells[at] ?? 0
}

/** Reads a cell that holds a whole number below 2^31: what is kept in an object is kept there, not in a box of its own. */
export function readWhole(cells: Float64Array, at: number): number {
  return (cells[at] ?? 0) | 0
}

/** Takes 10 × severity from every dimension, which is 100 × severity from the score. */
function cut(cells: Float64Array, at: number, severity: number): void {
  for (let index = 0; index < dimensionNames.length; index++)
    cells[at + index] = Math.max(0, read(cells, at + index) - 10 * severity)
}

function rest(
  model: TrustModel,
  cells: Float64Array,
  at: number,
  fromMs: number,
  toMs: number,
  runningMs: RunningMs,
): void {
  if (toMs <= fromMs) return
  const score = weigh(model, cells, at)
  if (score <= model.idleDecay.floor) return
  const decayed = decayScore(model.idleDecay, score, runningMs(fromMs, toMs))
  if (decayed === score) return
  for (let index = 0; index < dimensionNames.length; index++)
    cells[at + index] = (read(cells, at + index) * decayed) / score
  cells[at + cell.tier] = tierIndexAfter(read(cells, at + cell.tier), scoreOf(model, cells, at, 0))
}
