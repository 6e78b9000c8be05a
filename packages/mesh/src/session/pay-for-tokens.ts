import { allowed, refuse, type InstanceDid, type Verdict } from '@parley/protocol'
import type { NodeParts } from '../node/node-parts.ts'

/**
 * Takes the price of checking tokens from the bucket of who sent them, before they are looked at. One signature over a frame
 * may bring dozens of tokens, and what does not hold is never remembered.
 */
export function payForTokens({ buckets }: Pick<NodeParts, 'buckets'>, from: InstanceDid, signatures: number): Verdict {
  const retryAfterMs = buckets.charge(from, signatures)
  return retryAfterMs === 0
    ? allowed
    : refuse('iatp.sender-limited', 'the bucket of signatures is empty', { retryAfterMs })
}

/** The most signatures that a chain costs: one for its root, and three for each further link, which brings a credential. */
export function priceOfChain(links: readonly string[]): number {
  return Math.max(1, 3 * links.length - 2)
}
