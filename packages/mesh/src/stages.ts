export { assembleNode, type Pipelines } from './create-node.ts'
export type { InboundPipeline } from './pipeline/inbound.ts'
export { outboundStages } from './pipeline/outbound.ts'
export type { Stage } from './pipeline/stage.ts'
