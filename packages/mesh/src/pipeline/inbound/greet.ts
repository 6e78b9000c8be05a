import type { Handshake } from '../../session/handshake.ts'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Answers a hello, once its proof held. */
export function createGreet(handshake: Handshake): Stage<InboundHop> {
  return { name: 'handshake', run: (hop) => handshake.greet(left(hop.header, 'the header'), hop.leaf) }
}

/** Opens the session that a ready names. */
export function createConfirm(handshake: Handshake): Stage<InboundHop> {
  return { name: 'handshake', run: (hop) => handshake.confirm(left(hop.header, 'the header')) }
}
