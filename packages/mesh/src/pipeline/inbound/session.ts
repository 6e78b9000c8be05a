import { allowed, refuse } from '@parley/protocol'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/**
 * Finds the session that the header names, and that it is with this sender. Whoever is refused here sends again in a new
 * session. So what was done in a session that ended since must not be refused here, or its copy would have it done again;
 * and a session whose ready is late must not open any more, or a copy of the first request would be done in it, too.
 */
export const session: Stage<InboundHop> = {
  name: 'session',
  run(hop) {
    const header = left(hop.header, 'the header')
    const found = hop.parts.sessions.get(header.session ?? '')
    if (found?.peer.instance !== header.from) {
      const closed = hop.parts.sessions.closed(header.session ?? '', header.from)
      if (closed?.accept(header.counter ?? 0) === false)
        return refuse('iatp.replayed', 'this counter was accepted before its session ended')
      hop.parts.handshake.abandon(header.session ?? '', header.from)
      return refuse('iatp.session-unknown', 'no session of this id with this sender')
    }
    hop.session = found
    return allowed
  },
}
