import { allowed } from '@parley/protocol'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Fetches a body that travels by reference, for policy and handler, once it is known who asks and under which right. */
export const body: Stage<InboundHop> = {
  name: 'body',
  run(hop) {
    const header = left(hop.header, 'the header')
    const { bodyRef } = header
    if (!bodyRef) return allowed
    const waitedMs = hop.parts.clock.monotonic() - hop.startedAtMs
    const carried = { body: hop.body ?? hop.envelope.body, bodyRef }
    return hop.parts.bodyCarrier.unload(carried, (header.remainingMs ?? 0) - waitedMs).then((fetched) => {
      if (fetched.kind === 'deny') return fetched
      hop.body = fetched.body
      return allowed
    })
  },
}
