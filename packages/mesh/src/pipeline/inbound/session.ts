import { allowed, refuse } from '@parley/protocol'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Finds the session that the header names, and that it is with this sender. */
export const session: Stage<InboundHop> = {
  name: 'session',
  run(hop) {
    const header = left(hop.header, 'the header')
    const found = hop.parts.sessions.get(header.session ?? '')
    if (found?.peer.instance !== header.from)
      return refuse('iatp.session-unknown', 'no session of this id with this sender')
    hop.session = found
    return allowed
  },
}
