import { allowed, refuse } from '@parley/protocol'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Asks at every hop whether the credential that the session verified is still valid. */
export const credential: Stage<InboundHop> = {
  name: 'credential',
  run(hop) {
    const { peer } = left(hop.session, 'the session')
    return hop.parts.clock.now() < peer.expiresAtMs
      ? allowed
      : refuse('identity.credential-expired', `the credential of ${peer.name} is expired`)
  },
}
