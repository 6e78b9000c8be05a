import type { InboundPipeline } from '../pipeline/inbound.ts'
import type { OutboundHop } from '../pipeline/outbound-hop.ts'
import { outboundStages } from '../pipeline/outbound.ts'
import type { Stage } from '../pipeline/stage.ts'

/** The pipelines of a node; a test replaces a stage to see that the hop is refused. */
export interface Pipelines {
  readonly inbound: (standard: InboundPipeline) => InboundPipeline
  readonly outbound: readonly Stage<OutboundHop>[]
}

/** What every node runs. */
export const standardPipelines: Pipelines = { inbound: (standard) => standard, outbound: outboundStages }
