import { verifySignature } from '@parley/identity'
import { allowed, hashFrame, refuse, signingDomains, splitFrame } from '@parley/protocol'
import type { InboundFrame } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Takes the frame apart, hashes it, and checks its one signature against the key that the subject names. */
export const proof: Stage<InboundFrame> = {
  name: 'proof',
  run(context) {
    const frame = hashFrame(context.parts.hash, splitFrame(context.delivery.data))
    const { signedBytes, signature } = frame
    context.frame = frame
    const { from } = left(context.subject, 'the subject')
    return verifySignature(from, signingDomains.frame, signedBytes, signature)
      ? allowed
      : refuse('identity.signature-invalid', 'the signature is not of the key that the subject names')
  },
}
