import { allowed, refuse } from '@parley/protocol'
import { effectiveTrust } from '../effective-trust.ts'
import type { InboundHop } from '../inbound-hop.ts'
import { peerOf } from '../peer-of.ts'
import { left, type Stage } from '../stage.ts'

/** Asks the ledger at every hop. What a score is good for is policy; a score that is none refuses. */
export const trust: Stage<InboundHop> = {
  name: 'trust',
  run(hop) {
    const { capability } = left(hop.header, 'the header')
    hop.trust = effectiveTrust(
      hop.parts.trust,
      peerOf(hop),
      left(capability, 'the capability'),
      hop.chain?.agents ?? [],
    )
    return Number.isFinite(hop.trust.score)
      ? allowed
      : refuse('trust.below-threshold', `the score of ${hop.trust.of} cannot be told`)
  },
}
