import { allowed, formatMailboxToken, refuse } from '@parley/protocol'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Takes the mailbox that a request names, if it is of the sender's own name: nobody has outcomes sent to another. */
export const mailbox: Stage<InboundHop> = {
  name: 'mailbox',
  run(hop) {
    const named = left(hop.header, 'the header').mailbox
    if (named === undefined) return allowed
    const { owner, name } = left(hop.session, 'the session').peer
    if (named !== formatMailboxToken(hop.parts.hash, { owner, name }))
      return refuse('iatp.mailbox-foreign', `the mailbox is not of ${name}`)
    hop.mailbox = named
    return allowed
  },
}
