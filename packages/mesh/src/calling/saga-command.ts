import type { SagaHeader } from '@parley/protocol'

/** What a saga says about the step that a command belongs to, exactly as the envelope's header carries it. */
export type SagaCommand = SagaHeader
