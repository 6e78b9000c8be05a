import type { VerifiedCredential } from '@parley/identity'
import type { InboundHop } from './inbound-hop.ts'
import { left } from './stage.ts'

/** Gives who sent an envelope: the peer of its session, or, for an event, whom its own credential names. */
export function peerOf({ session, speaker }: InboundHop): VerifiedCredential {
  return session?.peer ?? left(speaker, 'the session')
}
