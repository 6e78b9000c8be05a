import { allowed, refuse, type Verdict } from '@parley/protocol'
import type { CallOptions } from '../../calling/call-options.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** How long a link lives that a call hands on without saying so, in milliseconds. */
const defaultForMs = 60_000

/** Signs the link that hands capabilities to the callee's name, so that it can call on in this node's stead. */
export const handOn: Stage<OutboundHop> = {
  name: 'hand-on',
  run: (hop) => (hop.options.delegate ? handTo(hop, hop.options.delegate) : allowed),
}

async function handTo(hop: OutboundHop, delegate: NonNullable<CallOptions['delegate']>): Promise<Verdict> {
  const { parts, options, handFrom } = hop
  if (!handFrom) return refuse('delegation.not-held', 'there is no chain from which `delegate` could hand on')
  const { owner, name } = left(hop.peer, 'the peer').credential
  const { constraints, allowance, labels, forMs = defaultForMs } = options
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
}
