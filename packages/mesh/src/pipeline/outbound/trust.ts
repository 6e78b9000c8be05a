import { allowed, refuse } from '@parley/protocol'
import { effectiveTrust, passQuarantine, withTrust } from '../effective-trust.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Asks the ledger about the callee before anything is sent to it. */
export const trust: Stage<OutboundHop> = {
  name: 'trust',
  run(hop) {
    const { credential } = left(hop.peer, 'the peer')
    const { trust: ledger } = hop.parts
    hop.parts.accountability?.note(credential, [])
    return withTrust(ledger, credential, [], passQuarantine(hop, hop.contract.capability, hop.options.saga), () => {
      hop.trust = effectiveTrust(ledger, credential, hop.contract.capability, [])
      return Number.isFinite(hop.trust.score)
        ? allowed
        : refuse('trust.below-threshold', `the score of ${hop.trust.of} cannot be told`)
    })
  },
}
