import { allowed, decodeFrame, parseSubject, refuse } from '@parley/protocol'
import type { InboundFrame } from '../inbound-hop.ts'
import type { Stage } from '../stage.ts'

/** Reads subject and frame; lengths come before hashing. */
export const frame: Stage<InboundFrame> = {
  name: 'frame',
  run(context) {
    const subject = parseSubject(context.delivery.subject)
    if (subject?.mesh !== context.parts.mesh) return refuse('iatp.misaddressed', 'the subject is not of this mesh')
    const decoded = decodeFrame(context.parts.hash, context.delivery.data)
    if (decoded.kind === 'deny') return decoded
    context.subject = subject
    context.frame = decoded.frame
    return allowed
  },
}
