import { allowed, type Verdict } from '@parley/protocol'
import type { AskedApproval } from '../../approvals/approval-request.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import type { Stage } from '../stage.ts'

/**
 * Uses the request that people granted, durably and before anything is sent. It is given back where nothing was sent, or the
 * callee refused: it may have to ask people too, and then the call comes again.
 */
export const approval: Stage<OutboundHop> = {
  name: 'approval',
  run: (hop) => (hop.approval ? use(hop, hop.approval) : allowed),
}

async function use(hop: OutboundHop, asked: AskedApproval): Promise<Verdict> {
  const { approvals } = hop.parts
  const used = await approvals.use(asked)
  if (used.kind === 'deny') return used
  const settleEarlier = hop.settleTaken
  hop.settleTaken = async (outcome) => {
    await settleEarlier?.(outcome)
    if (hop.sent !== true || outcome.kind === 'refused') await approvals.giveBack(asked)
  }
  return allowed
}
