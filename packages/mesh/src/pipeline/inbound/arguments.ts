import { decideArguments } from '@parley/identity'
import { allowed } from '@parley/protocol'
import type { InboundHop } from '../inbound-hop.ts'
import { readBody } from '../read-body.ts'
import type { Stage } from '../stage.ts'

/** Holds the input against the constraints of the chain, once the body is in the clear and here. */
export const argumentsInBounds: Stage<InboundHop> = {
  name: 'arguments',
  run(hop) {
    const { chain } = hop
    if (!chain || Object.keys(chain.constraints).length === 0) return allowed
    return decideArguments(chain.constraints, readBody(hop)?.value)
  },
}
