import type { ErrorCode } from '@parley/protocol'
import type { NodeParts } from '../node/node-parts.ts'

/** What a hop notes where trust is only observed. */
export interface ObservedHop {
  readonly parts: Pick<NodeParts, 'trustMode'>
  /** The code with which trust would have refused it. */
  wouldRefuse?: ErrorCode
}
