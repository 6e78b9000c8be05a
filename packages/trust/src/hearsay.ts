import { ownerOf } from './peer-key.ts'
import { tierBars, tierIndexAfter, type Tier } from './tier.ts'

/** What another rater says of a peer. */
export interface Word {
  readonly rater: string
  /** The rater's own tier here. */
  readonly tier: Tier
  /** 0 to 1000. */
  readonly score: number
}

/** Score and tier, as a place in `tierBars`. */
export interface Judged {
  readonly score: number
  readonly tier: number
}

/** How many points all raters of one owner can move a score: names are cheap, owners are not. */
const maxPointsPerRater = 20

/** How many points all raters together can move a score. */
const maxHearsayPoints = 100

/** How much a word counts, by the tier of who says it. */
const wordWeights: Readonly<Record<Tier, number>> = {
  verified: 1,
  trusted: 0.75,
  standard: 0.5,
  probationary: 0.1,
  untrusted: 0,
}

/** The score at which a word says nothing. */
const indifferent = 500

/**
 * Moves a score by what others say. Each word pulls by its distance from 500 and the weight of its rater; what one owner's
 * raters say together counts at most `maxPointsPerRater`, all words together `maxHearsayPoints`. Words never lift a peer
 * into a tier, nor above `ceiling`; about a name of its own owner a rater has no word.
 */
export function weighWords(peer: string, own: Judged, words: readonly Word[], ceiling: number): Judged {
  const pulls = new Map<string, number>()
  for (const { rater, tier, score } of words) {
    const owner = ownerOf(rater)
    if (owner === ownerOf(peer)) continue
    const pull = ((score - indifferent) / indifferent) * maxPointsPerRater * wordWeights[tier]
    pulls.set(owner, (pulls.get(owner) ?? 0) + pull)
  }
  const sum = keepWithin(
    [...pulls.values()].reduce((total, pull) => total + keepWithin(pull, maxPointsPerRater), 0),
    maxHearsayPoints,
  )
  const above = own.tier === 0 ? 1000 : (tierBars[own.tier - 1]?.bar ?? 1000) - 1
  const highest = Math.max(own.score, Math.min(above, ceiling))
  const score = Math.round(Math.min(highest, Math.max(0, own.score + sum)))
  return { score, tier: tierIndexAfter(own.tier, score) }
}

function keepWithin(value: number, bound: number): number {
  return Math.min(bound, Math.max(-bound, value))
}
