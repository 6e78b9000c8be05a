import { dimensionNames, dimensionWeights, weighDimensions, type Dimensions } from './dimensions.ts'
import { earnedSteps } from './earned-ceiling.ts'
import type { PeerPage, TrustMovement } from './peer-book.ts'
import { earnedCeilingOf, scoreAt, type Standing } from './standing.ts'
import { tierBars, type Tier } from './tier.ts'

/** Why a peer has its score. */
export interface TrustExplanation {
  readonly score: number
  readonly tier: Tier
  readonly evidenceCount: number
  readonly dimensions: Dimensions
  /** The newest changes of the overall score, oldest first. */
  readonly moved: readonly TrustMovement[]
  /** What would raise the score, most effective first. */
  readonly raise: readonly string[]
}

/** Says in sentences what would raise a score. */
export function adviseRaise(page: Pick<PeerPage, 'overall' | 'pin'>, nowMs: number): readonly string[] {
  const { overall, pin } = page
  const advice: string[] = []
  if (pin !== undefined && pin.untilMs > nowMs) {
    advice.push(`an operator pinned it at ${String(pin.score)} until ${String(pin.untilMs)} (${pin.reason})`)
  }
  const ceiling = adviseCeiling(overall)
  if (ceiling !== undefined) advice.push(ceiling)
  const score = scoreAt(overall, nowMs)
  const next = tierBars.findLast(({ bar }) => bar > score)
  if (next !== undefined) advice.push(`${String(next.bar - score)} points more reach the tier ${next.tier}`)
  const losses = dimensionNames
    .map((name) => ({ name, points: Math.round((100 - overall.dimensions[name]) * dimensionWeights[name] * 10) }))
    .filter(({ points }) => points > 0)
    .sort((left, right) => right.points - left.points)
  for (const { name, points } of losses)
    advice.push(`good outcomes in ${name} are worth up to ${String(points)} points`)
  return advice
}

function adviseCeiling(standing: Standing): string | undefined {
  const ceiling = earnedCeilingOf(standing)
  if (weighDimensions(standing.dimensions) <= ceiling) return undefined
  const step = earnedSteps.find((candidate) => candidate.ceiling === ceiling)
  if (step === undefined) return undefined
  const missing = step.verified - standing.verified
  return missing > 0
    ? `${String(missing)} more verified outcomes lift the ceiling of ${String(ceiling)}`
    : `verified outcomes over a longer time lift the ceiling of ${String(ceiling)}`
}
