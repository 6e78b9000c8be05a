import type { Clock } from '@parley/ports'
import { limits } from '@parley/protocol'

/** Limits how many signatures a second one sender can make this node check. */
export interface SenderBuckets {
  /**
   * Takes one signature from the sender's bucket; 0 if there was one, else the milliseconds until there is. A stranger
   * pays for all `envelopes` of its frame: each may bring a credential to be checked.
   */
  take(sender: string, envelopes?: number): number
  /**
   * Takes what the tokens of a sender with a bucket of its own cost to check, beyond the frame that brought them: one frame
   * may bring dozens. 0 if it was there, else the milliseconds until it is. A stranger has paid by envelopes.
   */
  charge(sender: string, signatures: number): number
  /** Moves a sender out of the strangers' bucket, once a session proved it. */
  admit(sender: string): void
}

interface Bucket {
  tokens: number
  filledAtMs: number
}

/**
 * Creates token buckets of `perSecond` signatures. All strangers share one bucket, so that minting keys gains nothing.
 * At most `maxSenders` have one of their own; the one admitted longest ago becomes a stranger again.
 */
export function createSenderBuckets(
  clock: Clock,
  perSecond: number = limits.signaturesPerSecond,
  maxSenders = 20_000,
): SenderBuckets {
  const create = (): Bucket => ({ tokens: perSecond, filledAtMs: clock.monotonic() })
  const strangers = create()
  const known = new Map<string, Bucket>()
  const draw = (bucket: Bucket, cost: number): number => {
    const nowMs = clock.monotonic()
    bucket.tokens = Math.min(perSecond, bucket.tokens + ((nowMs - bucket.filledAtMs) * perSecond) / 1_000)
    bucket.filledAtMs = nowMs
    if (bucket.tokens < cost) return Math.ceil(((cost - bucket.tokens) * 1_000) / perSecond)
    bucket.tokens -= cost
    return 0
  }
  return {
    take(sender, envelopes = 1) {
      const own = known.get(sender)
      return own ? draw(own, 1) : draw(strangers, Math.min(envelopes, perSecond))
    },
    charge(sender, signatures) {
      const own = known.get(sender)
      return own ? draw(own, Math.min(signatures, perSecond)) : 0
    },
    admit(sender) {
      if (known.has(sender)) return
      known.set(sender, create())
      const [oldest] = known.keys()
      if (known.size > maxSenders && oldest !== undefined) known.delete(oldest)
    },
  }
}
