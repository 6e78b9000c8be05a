import { allowed } from '@parley/protocol'
import type { InboundHop } from '../../inbound-hop.ts'
import { left, type Stage } from '../../stage.ts'

/** Verifies the credential that the event brings: there is no session in which it was done. */
export const speaker: Stage<InboundHop> = {
  name: 'credential',
  run(hop) {
    const { parts } = hop
    const { from, credential = '', statement = '' } = left(hop.header, 'the header')
    const verified = parts.credentials.verify({ credential, statement }, { instance: from, nowMs: parts.clock.now() })
    if (verified.kind === 'deny') return verified
    hop.speaker = verified.credential
    parts.buckets.admit(from)
    return allowed
  },
}
