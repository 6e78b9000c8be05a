import type { OutboundHop } from './outbound-hop.ts'
import { address } from './outbound/address.ts'
import { approval } from './outbound/approval.ts'
import { breaker } from './outbound/breaker.ts'
import { allowance } from './outbound/allowance.ts'
import { bulkhead } from './outbound/bulkhead.ts'
import { deadline } from './outbound/deadline.ts'
import { delegation } from './outbound/delegation.ts'
import { handOn } from './outbound/hand-on.ts'
import { input } from './outbound/input.ts'
import { orders } from './outbound/orders.ts'
import { policy } from './outbound/policy.ts'
import { seal } from './outbound/seal.ts'
import { send } from './outbound/send.ts'
import { trust } from './outbound/trust.ts'
import type { Stage } from './stage.ts'

/** The stages of every call; `record` follows. What the own node refuses was never sent. */
export const outboundStages: readonly Stage<OutboundHop>[] = [
  deadline,
  input,
  address,
  orders,
  delegation,
  trust,
  policy,
  breaker,
  bulkhead,
  allowance,
  handOn,
  seal,
  approval,
  send,
]
