import { allowed, refuse } from '@parley/protocol'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Accepts each counter of a session once. Asked and written in one synchronous step. */
export const replay: Stage<InboundHop> = {
  name: 'replay',
  run(hop) {
    return left(hop.session, 'the session').inbound.accept(left(hop.header, 'the header').counter ?? 0)
      ? allowed
      : refuse('iatp.replayed', 'this counter was accepted before, or is older than the window')
  },
}
