/** What a peer is judged by, with the weight of each in the score. The weights add up to 1. */
export const dimensionWeights = {
  policyCompliance: 0.25,
  securityPosture: 0.25,
  outputQuality: 0.2,
  resourceEfficiency: 0.15,
  collaborationHealth: 0.15,
} as const

/** The name of a dimension. */
export type Dimension = keyof typeof dimensionWeights

/** One value from 0 to 100 a dimension. */
export type Dimensions = Readonly<Record<Dimension, number>>

/** The dimensions in the order of their weights. */
export const dimensionNames: readonly Dimension[] = [
  'policyCompliance',
  'securityPosture',
  'outputQuality',
  'resourceEfficiency',
  'collaborationHealth',
]

/** Returns the weighted sum of the dimensions, from 0 to 1000, not rounded. */
export function weighDimensions(dimensions: Dimensions): number {
  // Written out, as below: this is computed several times a call, and a loop over names costs ten times as much.
  const sum =
    dimensions.policyCompliance * dimensionWeights.policyCompliance +
    dimensions.securityPosture * dimensionWeights.securityPosture +
    dimensions.outputQuality * dimensionWeights.outputQuality +
    dimensions.resourceEfficiency * dimensionWeights.resourceEfficiency +
    dimensions.collaborationHealth * dimensionWeights.collaborationHealth
  return Math.min(1000, Math.max(0, sum * 10))
}

/** Computes every dimension anew, kept between 0 and 100. */
export function mapDimensions(dimensions: Dimensions, change: (value: number, name: Dimension) => number): Dimensions {
  return {
    policyCompliance: keepInRange(change(dimensions.policyCompliance, 'policyCompliance')),
    securityPosture: keepInRange(change(dimensions.securityPosture, 'securityPosture')),
    outputQuality: keepInRange(change(dimensions.outputQuality, 'outputQuality')),
    resourceEfficiency: keepInRange(change(dimensions.resourceEfficiency, 'resourceEfficiency')),
    collaborationHealth: keepInRange(change(dimensions.collaborationHealth, 'collaborationHealth')),
  }
}

function keepInRange(value: number): number {
  return Math.min(100, Math.max(0, value))
}

/** Returns the dimensions of a peer of whom nothing is known but its start score: all alike. */
export function startDimensions(startScore: number): Dimensions {
  const value = startScore / 10
  return {
    policyCompliance: value,
    securityPosture: value,
    outputQuality: value,
    resourceEfficiency: value,
    collaborationHealth: value,
  }
}
