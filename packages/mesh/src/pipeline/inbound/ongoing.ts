import { allowed, refuse } from '@parley/protocol'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/**
 * Hands over what is said while a call goes on: a part, an acceptance or progress to the call that waits for it, credit
 * to the stream that is being sent. Credit for one that ended is late, not wrong.
 */
export const ongoing: Stage<InboundHop> = {
  name: 'ongoing',
  run({ parts, header: maybeHeader, session, envelope, body, inFrame, leaf }) {
    const header = left(maybeHeader, 'the header')
    const about = header.inReplyTo ?? ''
    if (header.type === 'part' && header.part === undefined) {
      const serving = parts.serving.get(about)
      if (serving?.session === left(session, 'the session').id) serving.grant(header.credit ?? 0)
      return allowed
    }
    const call = parts.ongoing.get(about)
    if (call?.callee !== header.from) return refuse('iatp.misaddressed', 'no call waits for this')
    return call.take({ header, body: body ?? envelope.body, leaf, inFrame: left(inFrame, 'the frame') })
  },
}
