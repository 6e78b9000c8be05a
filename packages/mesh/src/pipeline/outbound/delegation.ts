import { allowed } from '@parley/protocol'
import type { OutboundHop } from '../outbound-hop.ts'
import type { Stage } from '../stage.ts'

/**
 * Attaches the chain that the call acts under: the one that it names, or in a handler the one that was handed on. Whether
 * it is enough is the callee's to judge: only its anchors say who may be a root there. Undo and lookup need none.
 */
export const delegation: Stage<OutboundHop> = {
  name: 'delegation',
  run(hop) {
    const { parts, options } = hop
    if (options.saga && options.saga.phase !== 'do') return allowed
    const acting = parts.acting.decide(options)
    if (acting.kind === 'deny') return acting
    if (acting.links) {
      const read = parts.readHeldChain(acting.links, parts.clock.now())
      if (read.kind === 'deny') return read
      hop.chain = read.chain
    }
    if (!options.delegate) return allowed
    if (!options.delegateFrom) {
      if (hop.chain) hop.handFrom = hop.chain
      return allowed
    }
    const from = parts.readHeldChain(options.delegateFrom, parts.clock.now())
    if (from.kind === 'deny') return from
    hop.handFrom = from.chain
    return allowed
  },
}
