/** The bands of trust with the score at which each begins, highest first. */
export const tierBars = [
  { tier: 'verified', bar: 900 },
  { tier: 'trusted', bar: 700 },
  { tier: 'standard', bar: 500 },
  { tier: 'probationary', bar: 300 },
  { tier: 'untrusted', bar: 0 },
] as const

/** A named band of scores. */
export type Tier = (typeof tierBars)[number]['tier']

/** How far below its bar a score has to fall before its tier is left: one bad call must not lock a newcomer out. */
export const tierSlack = 20

/** Returns the tier whose band holds a score. */
export function tierOf(score: number): Tier {
  return tierAt(tierIndexOf(score))
}

/** Returns the lower of two tiers. */
export function lowerTier(left: Tier, right: Tier): Tier {
  return tierBars.findLast(({ tier }) => tier === left || tier === right)?.tier ?? 'untrusted'
}

/** Returns the place of a score's tier in `tierBars`: 0 for verified, 4 for untrusted. */
export function tierIndexOf(score: number): number {
  let index = 0
  while (index < lowest && score < barAt(index)) index++
  return index
}

/**
 * Returns the place of the tier after a change of score. A tier is entered at its bar and left `tierSlack` points below
 * it; a score that falls through several keeps the highest one that it has not left.
 */
export function tierIndexAfter(previous: number, score: number): number {
  let index = 0
  while (index < lowest && score < (index >= previous ? barAt(index) - tierSlack : barAt(index))) index++
  return index
}

/** Returns the tier at a place of `tierBars`. */
export function tierAt(index: number): Tier {
  return tierBars[index]?.tier ?? 'untrusted'
}

const lowest = tierBars.length - 1

function barAt(index: number): number {
  return tierBars[index]?.bar ?? 0
}
