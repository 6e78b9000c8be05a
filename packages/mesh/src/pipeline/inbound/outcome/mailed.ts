import { allowed, capabilityCovers, refuse } from '@parley/protocol'
import type { InboundHop } from '../../inbound-hop.ts'
import { peerOf } from '../../peer-of.ts'
import { left, type Stage } from '../../stage.ts'

/** Takes what comes to the mailbox of this node's own name, where somebody listens. */
export const ownMailbox: Stage<InboundHop> = {
  name: 'mailbox',
  run({ parts, header }) {
    const { to, sealed, bodyRef } = left(header, 'the header')
    if (to !== parts.mailbox || parts.outcomeListeners.length === 0)
      return refuse('iatp.misaddressed', 'nobody reads this mailbox here')
    if (sealed === true || bodyRef) return refuse('iatp.body-unreadable', 'a mailbox takes bodies in the clear')
    return allowed
  },
}

/** Lets nobody tell the outcome of what its credential does not let it serve. */
export const responder: Stage<InboundHop> = {
  name: 'responder',
  run(hop) {
    const { capability = '' } = left(hop.header, 'the header')
    const { name, serves } = peerOf(hop)
    return serves.some((pattern) => capabilityCovers(pattern, capability))
      ? allowed
      : refuse('iatp.outcome-mismatch', `${name} may not serve ${capability}`)
  },
}

/** Takes each outcome once, as far as it is remembered. */
export const firstHeard: Stage<InboundHop> = {
  name: 'replay',
  run: ({ parts, leaf }) =>
    parts.mailHeard.take(leaf) ? allowed : refuse('iatp.replayed', 'this outcome was heard before'),
}
