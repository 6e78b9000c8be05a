import { allowed, type Verdict } from '@parley/protocol'
import type { AskedApproval } from '../../approvals/approval-request.ts'
import type { InboundHop } from '../inbound-hop.ts'
import type { Stage } from '../stage.ts'
import { askOrdersAgain } from './ask-orders-again.ts'

/**
 * Uses the request that people granted, durably, once everything else has admitted the hop and before the handler runs. A
 * process that ends in between has used it and done nothing: people are asked again.
 */
export const approval: Stage<InboundHop> = {
  name: 'approval',
  run: (hop) => (hop.approval ? use(hop, hop.approval) : allowed),
}

async function use(hop: InboundHop, asked: AskedApproval): Promise<Verdict> {
  const used = await hop.parts.approvals.use(asked)
  const verdict = used.kind === 'allow' ? askOrdersAgain(hop) : used
  if (verdict.kind === 'deny') await hop.giveBackAllowance?.()
  return verdict
}
