import { decideArguments } from '@parley/identity'
import { allowed } from '@parley/protocol'
import { parseJsonBody } from '../../json-body.ts'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Holds the input against the constraints of the chain, once the body is in the clear and here. */
export const argumentsInBounds: Stage<InboundHop> = {
  name: 'arguments',
  run(hop) {
    const { chain } = hop
    if (!chain || Object.keys(chain.constraints).length === 0) return allowed
    return decideArguments(chain.constraints, parseJsonBody(left(hop.body, 'the body'))?.value)
  },
}
