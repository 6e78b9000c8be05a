import { percentileOf, spreadOf } from '../statistics.ts'
import type { Decider } from './decider.ts'

/** Decisions between two looks at the clock. */
const batch = 64

/** How fast one engine decided, by its processor time, so that other work on the machine matters little: the median of the rounds. */
export interface DeciderRate {
  readonly perSecond: number
  readonly us: number
}

/** Measures engines in turns, round by round, over the same inputs. */
export function measureRates(
  deciders: readonly Decider[],
  prepared: ReadonlyMap<Decider, readonly unknown[]>,
  { rounds, roundMs }: { readonly rounds: number; readonly roundMs: number },
): ReadonlyMap<Decider, DeciderRate> {
  const costs = new Map<Decider, number[]>(deciders.map((decider) => [decider, []]))
  for (let round = -1; round < rounds; round++)
    for (const decider of deciders) {
      const us = measureOnce(decider, prepared.get(decider) ?? [], roundMs)
      if (round >= 0) costs.get(decider)?.push(us)
    }
  return new Map(
    deciders.map((decider) => {
      const { median } = spreadOf(costs.get(decider) ?? [])
      return [decider, { us: median, perSecond: 1_000_000 / median }]
    }),
  )
}

/** Times single decisions and returns their 99.9th percentile in µs, the clock's own cost taken off. */
export function measureTail(decider: Decider, inputs: readonly unknown[], count: number): number {
  const idle = Float64Array.from({ length: 10_000 }, () => {
    const startMs = performance.now()
    return performance.now() - startMs
  }).sort()
  const times = new Float64Array(count)
  for (let at = 0; at < count; at++) {
    const input = inputs[at % inputs.length]
    const startMs = performance.now()
    decider.decide(input)
    times[at] = performance.now() - startMs
  }
  return (percentileOf(times.sort(), 0.999) - percentileOf(idle, 0.5)) * 1_000
}

function measureOnce(decider: Decider, inputs: readonly unknown[], roundMs: number): number {
  const started = process.cpuUsage()
  let decisions = 0
  let usedUs = 0
  while (usedUs < roundMs * 1_000) {
    for (let at = 0; at < batch; at++, decisions++) decider.decide(inputs[decisions % inputs.length])
    const { user, system } = process.cpuUsage(started)
    usedUs = user + system
  }
  return usedUs / decisions
}
