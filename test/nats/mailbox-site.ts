import { defineContract, type SagaCommand } from '@parley/mesh'
import { z } from 'zod'

/** Long work that outlives who asked for it. */
export const site = defineContract('site', {
  build: {
    input: z.object({ house: z.string() }),
    output: z.object({ keys: z.number() }),
    progress: z.object({ storey: z.number() }),
    risk: 'irreversible',
  },
})

/** What the process that asks is given. */
export interface Asking {
  readonly url: string
  /** What its keys are made of, so that its credential can be issued beforehand. */
  readonly seed: number
  readonly command: SagaCommand
}
