import type { BenchOptions, BenchRow } from './bench.ts'
import type { Contestant } from './contestant.ts'
import type { Load } from './measure-load.ts'
import { spreadOf } from './statistics.ts'

/** Rounds that are run and thrown away: just-in-time compilers and sessions settle in them. */
const warmUpRounds = 2
/** With one call in flight a compiler would see too few of them: before anything is measured, everybody warms up under load. */
const warmUpInFlight = 64

/**
 * Measures contestants against each other at several loads. Rounds of all contestants alternate, and each round starts
 * with another one, so that what else the machine does hits all alike. The row of the first contestant has its ratio to
 * each other one: the median of the ratios of the rounds. Throws what a contestant failed with if it did nothing at all in
 * a round: there is nothing to compare then.
 */
export async function compareLoad(
  contestants: readonly Contestant[],
  inFlightLevels: readonly number[],
  { rounds, roundMs, log }: Pick<BenchOptions, 'rounds' | 'roundMs' | 'log'>,
): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = []
  log(`${String(warmUpInFlight)} in flight: warm-up`)
  for (let round = 0; round < warmUpRounds; round++)
    for (const contestant of contestants) await contestant.measure(warmUpInFlight, roundMs)
  for (const inFlight of inFlightLevels) {
    const loads = contestants.map((): Load[] => [])
    for (let round = -warmUpRounds; round < rounds; round++) {
      log(
        round < 0
          ? `${String(inFlight)} in flight: warm-up`
          : `${String(inFlight)} in flight: round ${String(round + 1)} of ${String(rounds)}`,
      )
      for (let turn = 0; turn < contestants.length; turn++) {
        const at = (turn + Math.abs(round)) % contestants.length
        const contestant = contestants[at]
        if (!contestant) continue
        const load = await contestant.measure(inFlight, roundMs)
        if (load.callsPerSecond === 0)
          throw new Error(`${contestant.name} did nothing with ${String(inFlight)} in flight`, {
            cause: load.firstFailure,
          })
        if (round >= 0) loads[at]?.push(load)
      }
    }
    rows.push(
      ...contestants.map(({ name }, at) => ({
        ...formatRow(name, inFlight, loads[at] ?? []),
        ...(at === 0 ? compareTo(loads[0] ?? [], contestants.slice(1), loads.slice(1)) : {}),
      })),
    )
  }
  return rows
}

function formatRow(contestant: string, inFlight: number, own: readonly Load[]): BenchRow {
  const calls = spreadOf(own.map(({ callsPerSecond }) => callsPerSecond))
  const median = (read: (load: Load) => number): number => round3(spreadOf(own.map(read)).median)
  return {
    inFlight,
    contestant,
    callsPerSecond: Math.round(calls.median),
    callsPerSecondMin: Math.round(calls.min),
    callsPerSecondMax: Math.round(calls.max),
    p50Ms: median(({ p50Ms }) => p50Ms),
    p99Ms: median(({ p99Ms }) => p99Ms),
    p999Ms: median(({ p999Ms }) => p999Ms),
    cpuPerCallUs: median((load) => (load.cpuMs * 1_000) / load.calls),
    ...(own.some(({ loopDelayP99Ms }) => loopDelayP99Ms !== undefined) && {
      loopDelayP99Ms: median(({ loopDelayP99Ms = 0 }) => loopDelayP99Ms),
    }),
    failed: own.reduce((sum, { failed }) => sum + failed, 0),
  }
}

/** The ratios of the first contestant to each peer: the median of the ratios of the rounds. */
function compareTo(
  first: readonly Load[],
  peers: readonly Contestant[],
  loads: readonly (readonly Load[])[],
): BenchRow {
  const figures: Readonly<Record<string, (load: Load) => number>> = {
    ratio: ({ callsPerSecond }) => callsPerSecond,
    'p50 ratio': ({ p50Ms }) => p50Ms,
    'p99 ratio': ({ p99Ms }) => p99Ms,
    'cpu ratio': ({ cpuMs, calls }) => cpuMs / calls,
  }
  const ratios = peers.flatMap(({ name }, at) =>
    Object.entries(figures).map(([figure, read]) => {
      const rounds = first.flatMap((load, round) => {
        const peer = loads[at]?.[round]
        return peer ? [read(load) / read(peer)] : []
      })
      return [`${figure} to ${name}`, round3(spreadOf(rounds).median)] as const
    }),
  )
  return Object.fromEntries(ratios)
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000
}
