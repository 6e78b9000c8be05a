import { allowed, refuse, type Verdict } from '@parley/protocol'
import { checkSchema, type SchemaCheck } from '../../contract/schema.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import type { Stage } from '../stage.ts'

/**
 * Holds the input against the contract before anything is sent, so that a wrong field is named here: a callee tells no
 * more than a code. The callee checks again.
 */
export const input: Stage<OutboundHop> = {
  name: 'input',
  run({ contract, input: given, options }) {
    if (options.saga !== undefined && options.saga.phase !== 'do') return allowed
    const checking = checkSchema(contract.input, given)
    return checking instanceof Promise ? checking.then(decide) : decide(checking)
  },
}

function decide(checked: SchemaCheck<unknown>): Verdict {
  return checked.kind === 'valid' ? allowed : refuse('contract.input-invalid', checked.problems)
}
