/** The middle of several measurements, and how far they lie apart. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Returns the value below which `share` (0 to 1) of the sorted values lie; 0 for none. */
export function percentileOf(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return 0
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** Computes median, minimum and maximum. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right)
  const upper = percentileOf(sorted, 0.5)
  const lower = sorted.length % 2 === 0 ? (sorted[sorted.length / 2 - 1] ?? 0) : upper
  return { median: (lower + upper) / 2, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 }
}
