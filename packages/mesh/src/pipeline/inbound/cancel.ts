import { allowed } from '@parley/protocol'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Aborts the handler of a request that its own sender takes back. What it did is answered. */
export const cancel: Stage<InboundHop> = {
  name: 'cancel',
  run({ parts, header, session }) {
    const { inReplyTo } = left(header, 'the header')
    const call = parts.serving.get(inReplyTo ?? '')
    if (call?.session === left(session, 'the session').id) call.cancel()
    return allowed
  },
}
