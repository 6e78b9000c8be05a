import { allowed, refuse } from '@parley/protocol'
import type { InboundFrame } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Takes a signature from the sender's bucket, so that a flood costs no Ed25519. */
export const senderLimits: Stage<InboundFrame> = {
  name: 'sender-limits',
  run(context) {
    const envelopes = left(context.envelopes, 'the head of the frame')
    const retryAfterMs = context.parts.buckets.take(left(context.subject, 'the subject').from, envelopes)
    return retryAfterMs === 0
      ? allowed
      : refuse('iatp.sender-limited', 'the bucket of signatures is empty', { retryAfterMs })
  },
}
