import { allowed, limits, refuse } from '@parley/protocol'
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
    if (
      (header.type === 'event') !== (subject.kind === 'event') ||
      (subject.kind === 'inbox' && header.to !== parts.did)
    )
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
