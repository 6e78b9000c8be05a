import { allowed, parseSubject, refuse, readFrameHead } from '@parley/protocol'
import type { InboundFrame } from '../inbound-hop.ts'
import type { Stage } from '../stage.ts'

/** Reads subject and head; what a sender has no right to be checked for is not even taken apart. */
export const frame: Stage<InboundFrame> = {
  name: 'frame',
  run(context) {
    const subject = parseSubject(context.delivery.subject)
    if (subject?.mesh !== context.parts.mesh) return refuse('iatp.misaddressed', 'the subject is not of this mesh')
    const read = readFrameHead(context.delivery.data)
    if (read.kind === 'deny') return read
    context.subject = subject
    context.envelopes = read.envelopes
    return allowed
  },
}
