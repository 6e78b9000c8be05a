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
  return tierBars.find(({ bar }) => score >= bar)?.tier ?? 'untrusted'
}

/**
 * Returns the tier after a change of score. A tier is entered at its bar and left `tierSlack` points below it; a score
 * that falls through several keeps the highest one that it has not left.
 */
export function tierAfter(previous: Tier, score: number): Tier {
  let reached = false
  for (const { tier, bar } of tierBars) {
    reached ||= tier === previous
    if (score >= (reached ? bar - tierSlack : bar)) return tier
  }
  return 'untrusted'
}

/** Returns the lower of two tiers. */
export function lowerTier(left: Tier, right: Tier): Tier {
  return tierBars.findLast(({ tier }) => tier === left || tier === right)?.tier ?? 'untrusted'
}
