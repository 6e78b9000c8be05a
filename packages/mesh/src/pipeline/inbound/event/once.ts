import type { InboundHop } from '../../inbound-hop.ts'
import { left, type Stage } from '../../stage.ts'

/** Takes each event once. After the credential, or strangers could fill the memory. */
export const once: Stage<InboundHop> = {
  name: 'replay',
  run: ({ parts, header }) => parts.eventMemory.take(left(header, 'the header')),
}
