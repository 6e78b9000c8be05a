import { verifySignature } from '@parley/identity'
import { allowed, hashFrame, refuse, signingDomains } from '@parley/protocol'
import type { InboundFrame } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Hashes the frame, and checks its one signature of the frame against the key that the subject names. */
export const proof: Stage<InboundFrame> = {
  name: 'proof',
  run(context) {
    const frame = hashFrame(context.parts.hash, left(context.split, 'the frame'))
    const { signedBytes, signature } = frame
    context.frame = frame
    const { from } = left(context.subject, 'the subject')
    return verifySignature(from, signingDomains.frame, signedBytes, signature)
      ? allowed
      : refuse('identity.signature-invalid', 'the signature is not of the key that the subject names')
  },
}
