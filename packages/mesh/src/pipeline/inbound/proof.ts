import { verifySignature } from '@parley/identity'
import { allowed, refuse, signingDomains } from '@parley/protocol'
import type { InboundFrame } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Checks the one signature of the frame against the key that the subject names. */
export const proof: Stage<InboundFrame> = {
  name: 'proof',
  run(context) {
    const { signedBytes, signature } = left(context.frame, 'the frame')
    const { from } = left(context.subject, 'the subject')
    return verifySignature(from, signingDomains.frame, signedBytes, signature)
      ? allowed
      : refuse('identity.signature-invalid', 'the signature is not of the key that the subject names')
  },
}
