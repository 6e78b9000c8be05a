import { allowed, parseSubject, refuse, splitFrame } from '@parley/protocol'
import type { InboundFrame } from '../inbound-hop.ts'
import type { Stage } from '../stage.ts'

/** Reads subject and lengths; what a sender has no right to be checked for is not even hashed. */
export const frame: Stage<InboundFrame> = {
  name: 'frame',
  run(context) {
    const subject = parseSubject(context.delivery.subject)
    if (subject?.mesh !== context.parts.mesh) return refuse('iatp.misaddressed', 'the subject is not of this mesh')
    const read = splitFrame(context.delivery.data)
    if (read.kind === 'deny') return read
    context.subject = subject
    context.split = read.frame
    return allowed
  },
}
