import type { Bench, BenchRow } from '../bench.ts'
import { listEnvelopeSteps } from './envelope-steps.ts'
import { measureStep } from './measure-step.ts'
import { measureStages } from './stage-times.ts'

/** Where the time of a hop goes, so that the next gain is visible. */
export const envelopeBench: Bench = {
  name: 'envelope',
  about:
    'µs for each step of an envelope (in a loop, hot), and for each stage of real hops one after the other between two nodes in this process, bodies of 400 bytes, encrypted; a stage that waits has the time that passed, not the time that it cost; no broker',
  libraries: [],
  async run(options) {
    const rows: BenchRow[] = []
    for (const step of await listEnvelopeSteps()) {
      options.log(step.name)
      rows.push(await measureStep('envelope', step, options))
    }
    return { rows: [...rows, ...(await measureStages(options))], targets: [] }
  },
}
