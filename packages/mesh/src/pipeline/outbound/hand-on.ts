import { allowed, refuse } from '@parley/protocol'
import type { OutboundHop } from '../outbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** How long a link lives that a call hands on without saying so, in milliseconds. */
const defaultForMs = 60_000

/** Signs the link that hands capabilities to the callee's name, so that it can call on in this node's stead. */
export const handOn: Stage<OutboundHop> = {
  name: 'hand-on',
  async run(hop) {
    const { parts, options, handFrom } = hop
    if (!options.delegate) return allowed
    if (!handFrom) return refuse('delegation.not-held', 'there is no chain from which `delegate` could hand on')
    const { owner, name } = left(hop.peer, 'the peer').credential
    const { delegate, constraints, allowance, labels, forMs = defaultForMs } = options
    const signed = await parts.handOn(
      handFrom.links,
      {
        capabilities: delegate.map((granted) => (typeof granted === 'string' ? granted : granted.capability)),
        ...(constraints ? { constraints } : {}),
        ...(allowance ? { allowance } : {}),
        ...(labels?.length ? { labels } : {}),
        forMs,
      },
      { owner, name },
    )
    if (signed.kind === 'deny') return signed
    hop.handed = signed.chain
    return allowed
  },
}
