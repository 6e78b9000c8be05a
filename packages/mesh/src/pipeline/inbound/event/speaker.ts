import { allowed } from '@parley/protocol'
import { verifyPresented } from '../../../session/verify-presented.ts'
import type { InboundHop } from '../../inbound-hop.ts'
import { left, type Stage } from '../../stage.ts'

/** Verifies the credential that the event brings: there is no session in which it was done. */
export const speaker: Stage<InboundHop> = {
  name: 'credential',
  run(hop) {
    const { parts } = hop
    const header = left(hop.header, 'the header')
    const verified = verifyPresented(parts, header)
    if (verified.kind === 'deny') return verified
    hop.speaker = verified.credential
    parts.buckets.admit(header.from)
    return allowed
  },
}
