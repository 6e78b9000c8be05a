import { allowed, refuse } from '@parley/protocol'
import type { InboundHop } from '../../inbound-hop.ts'
import { left, type Stage } from '../../stage.ts'

/** Finds who listens to the topic. Both sides must have the same contract, and what it names must be what the topic is. */
export const listened: Stage<InboundHop> = {
  name: 'listened',
  run(hop) {
    const header = left(hop.header, 'the header')
    const listening = hop.parts.listening.get(header.to)
    if (!listening || listening.event.capability !== header.capability)
      return refuse('iatp.misaddressed', 'nobody listens to this topic')
    if (listening.event.hash !== header.contract)
      return refuse('contract.incompatible', `both sides have different contracts for ${listening.event.capability}`)
    if (header.traceparent === undefined) return refuse('iatp.header-invalid', 'an event needs a traceparent')
    hop.listening = listening
    return allowed
  },
}
