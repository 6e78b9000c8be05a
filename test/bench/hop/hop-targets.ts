import type { BenchRow, BenchTarget } from '../bench.ts'

/** Shares of the NATS client's own request() that a hop with everything on has to reach. */
const minRatio = 0.7
const maxP99Ratio = 2
const maxAloneP50Ratio = 2.8

/** Decides the targets of the hop over the rows of a run. A row that was not measured has no target. */
export function decideHopTargets(rows: readonly BenchRow[]): readonly BenchTarget[] {
  const find = (contestant: string, inFlight: number): BenchRow | undefined =>
    rows.find((row) => row['contestant'] === contestant && row['inFlight'] === inFlight)
  const targets: BenchTarget[] = []
  const compare = (inFlight: number, figure: string, target: number, isAtLeast: boolean): void => {
    const value = find('parley', inFlight)?.[`${figure} to nats request`]
    if (typeof value !== 'number') return
    targets.push({
      name: `${figure} to nats request, ${String(inFlight)} in flight`,
      value,
      target,
      holds: isAtLeast ? value >= target : value <= target,
    })
  }
  compare(1, 'p50 ratio', maxAloneP50Ratio, false)
  for (const inFlight of [64, 256]) {
    compare(inFlight, 'ratio', minRatio, true)
    compare(inFlight, 'p99 ratio', maxP99Ratio, false)
  }
  return targets
}
