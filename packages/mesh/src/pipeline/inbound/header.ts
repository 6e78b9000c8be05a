import { allowed, parseHeader } from '@parley/protocol'
import type { InboundHop } from '../inbound-hop.ts'
import type { Stage } from '../stage.ts'

/** Reads the header, once its bytes are proven. */
export const header: Stage<InboundHop> = {
  name: 'header',
  run(hop) {
    const parsed = parseHeader(hop.envelope.header)
    if (parsed.kind === 'deny') return parsed
    hop.header = parsed.header
    return allowed
  },
}
