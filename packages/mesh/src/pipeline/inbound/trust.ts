import { allowed, refuse } from '@parley/protocol'
import { effectiveTrust, passQuarantine, withTrust } from '../effective-trust.ts'
import type { InboundHop } from '../inbound-hop.ts'
import { peerOf } from '../peer-of.ts'
import { left, type Stage } from '../stage.ts'

/** Asks the ledger at every hop. What a score is good for is policy; a score that is none refuses. */
export const trust: Stage<InboundHop> = {
  name: 'trust',
  run(hop) {
    const header = left(hop.header, 'the header')
    const capability = left(header.capability, 'the capability')
    const chain = hop.chain?.agents ?? []
    const peer = peerOf(hop)
    hop.parts.accountability?.note(peer, chain)
    return withTrust(hop.parts.trust, peer, chain, passQuarantine(hop, capability, header.saga), () => {
      hop.trust = effectiveTrust(hop.parts.trust, peer, capability, chain)
      return Number.isFinite(hop.trust.score)
        ? allowed
        : refuse('trust.below-threshold', `the score of ${hop.trust.of} cannot be told`)
    })
  },
}
