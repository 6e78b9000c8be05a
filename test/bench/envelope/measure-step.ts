import type { BenchOptions, BenchRow } from '../bench.ts'
import { spreadOf } from '../statistics.ts'

/** One step of the work, done over and over. `units` is what one run does, where that is more than one. */
export interface Step {
  readonly name: string
  readonly units?: number
  readonly run: () => unknown
}

/** Runs between two looks at the clock. */
const batch = 32
/** The share of a round that one step gets. */
const roundShare = 0.1

/** Measures what a step costs, in µs a unit: the median of the rounds, and the best of them. */
export async function measureStep(group: string, step: Step, { rounds, roundMs }: BenchOptions): Promise<BenchRow> {
  const costs: number[] = []
  for (let round = -1; round < rounds; round++) {
    const startMs = performance.now()
    let runs = 0
    while (performance.now() - startMs < roundMs * roundShare)
      for (let at = 0; at < batch; at++, runs++) {
        const done = step.run()
        if (done instanceof Promise) await done
      }
    if (round >= 0) costs.push(((performance.now() - startMs) * 1_000) / runs / (step.units ?? 1))
  }
  const { median, min } = spreadOf(costs)
  return { group, step: step.name, us: round2(median), usMin: round2(min) }
}

/** Rounds to hundredths. */
export function round2(value: number): number {
  return Math.round(value * 100) / 100
}
