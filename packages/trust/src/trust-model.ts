import { systemHash } from '@parley/ports'
import { encodeBase64url, MeshError } from '@parley/protocol'
import { dimensionNames, type Dimensions } from './dimensions.ts'
import { defaultEarnedSteps, type EarnedStep } from './earned-ceiling.ts'
import { defaultIdleDecay, type IdleDecay } from './idle-decay.ts'
import { outcomeTable } from './outcome-table.ts'

/** Names the rules of the fold; written with everything that was computed by them. */
export const trustModelName = 'parley-trust/2'

/** What a peer is judged by, with the weight of each in the score. */
export const defaultWeights: Dimensions = {
  policyCompliance: 0.25,
  securityPosture: 0.25,
  outputQuality: 0.2,
  resourceEfficiency: 0.15,
  collaborationHealth: 0.15,
}

/** What an operator may choose of a model. */
export interface TrustModelOptions {
  /** Above 0 each, together 1. */
  readonly weights?: Dimensions
  readonly earnedSteps?: readonly EarnedStep[]
  readonly idleDecay?: IdleDecay
}

/** The rules that turn evidence into a score. Two folds agree only under models of one hash. */
export interface TrustModel {
  /** SHA-256 over the name, all numbers and the outcome table, in base64url. */
  readonly hash: string
  /** In the order of `dimensionNames`. */
  readonly weights: readonly number[]
  readonly earnedSteps: readonly EarnedStep[]
  readonly idleDecay: IdleDecay
}

/** Makes a model. Throws `mesh.config-invalid` for weights, steps or a decay that give no score from 0 to 1000. */
export function createTrustModel(options: TrustModelOptions = {}): TrustModel {
  const { weights: named = defaultWeights, earnedSteps = defaultEarnedSteps, idleDecay = defaultIdleDecay } = options
  const weights = dimensionNames.map((name) => named[name])
  const sum = weights.reduce((total, weight) => total + weight, 0)
  if (!weights.every((weight) => weight > 0) || Math.abs(sum - 1) > 1e-9)
    throw new MeshError('mesh.config-invalid', `trust.weights: must be above 0 and add up to 1, not ${String(sum)}`)
  if (!earnedSteps.every(({ verified, spanMs, ceiling }) => verified >= 0 && spanMs >= 0 && isScore(ceiling)))
    throw new MeshError('mesh.config-invalid', 'trust.earnedSteps: counts and times from 0, ceilings from 0 to 1000')
  if (!(idleDecay.pointsPerHour >= 0) || !isScore(idleDecay.floor))
    throw new MeshError('mesh.config-invalid', 'trust.idleDecay: points an hour from 0, a floor from 0 to 1000')
  const rules = JSON.stringify({ trustModelName, weights, earnedSteps, idleDecay, outcomeTable })
  return { hash: encodeBase64url(systemHash(new TextEncoder().encode(rules))), weights, earnedSteps, idleDecay }
}

/** Tells whether a value is a score: a number from 0 to 1000. */
export function isScore(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1000
}
