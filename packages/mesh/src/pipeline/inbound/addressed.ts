import { allowed, limits, refuse, type EnvelopeType, type SubjectFacts } from '@parley/protocol'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Holds what was signed against where it came from, to whom, and when. */
export const addressed: Stage<InboundHop> = {
  name: 'addressed',
  run({ parts, subject, header: maybeHeader }) {
    const header = left(maybeHeader, 'the header')
    if (header.from !== subject.from)
      return refuse('iatp.misaddressed', 'the subject names another sender than the header')
    if (header.mesh !== subject.mesh || header.to !== subject.to)
      return refuse('iatp.misaddressed', 'the subject names another recipient than the header')
    if (subject.kind !== branchOf(header.type) || (subject.kind === 'inbox' && header.to !== parts.did))
      return refuse('iatp.misaddressed', 'the envelope is for another instance')
    const nowMs = parts.clock.now()
    if (header.expiresAtMs - header.issuedAtMs > limits.lifetimeMs || header.expiresAtMs < header.issuedAtMs)
      return refuse('iatp.lifetime', 'the envelope lives longer than five minutes')
    if (header.issuedAtMs > nowMs + limits.skewMs)
      return refuse('iatp.lifetime', 'the envelope is from the future: check the clocks')
    if (header.expiresAtMs < nowMs - limits.skewMs) return refuse('iatp.lifetime', 'the envelope is expired')
    return allowed
  },
}

/** Events and outcomes travel on branches of their own, so that nobody takes one for an answer. */
function branchOf(type: EnvelopeType): SubjectFacts['kind'] {
  if (type === 'event') return 'event'
  return type === 'outcome' ? 'mailbox' : 'inbox'
}
