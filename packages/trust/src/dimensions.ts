/** What a peer is judged by, in the order in which standings, weights and targets hold them. */
export const dimensionNames = [
  'policyCompliance',
  'securityPosture',
  'outputQuality',
  'resourceEfficiency',
  'collaborationHealth',
] as const

/** The name of a dimension. */
export type Dimension = (typeof dimensionNames)[number]

/** One number a dimension: a value from 0 to 100, or a weight. */
export type Dimensions = Readonly<Record<Dimension, number>>

/** Makes a record of dimensions. */
export function mapDimensions(valueOf: (name: Dimension, index: number) => number): Dimensions {
  const [first, second, third, fourth, fifth] = dimensionNames
  return {
    [first]: valueOf(first, 0),
    [second]: valueOf(second, 1),
    [third]: valueOf(third, 2),
    [fourth]: valueOf(fourth, 3),
    [fifth]: valueOf(fifth, 4),
  }
}

/** Tells whether a text names a dimension. */
export function isDimension(text: unknown): text is Dimension {
  return (dimensionNames as readonly unknown[]).includes(text)
}
