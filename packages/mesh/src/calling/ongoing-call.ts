import type { InstanceDid, Verdict } from '@parley/protocol'
import type { Answer } from './pending-answers.ts'

/** A call of this node that waits for its end: what its callee says on the way is handed to it. */
export interface OngoingCall {
  readonly callee: InstanceDid
  /** Takes a part, an acceptance or progress, in the order of the sender. */
  take(told: Answer): Verdict
}
