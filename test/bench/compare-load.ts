import type { BenchOptions, BenchRow } from './bench.ts'
import type { Contestant } from './contestant.ts'
import { measureLoad, type Load } from './measure-load.ts'
import { spreadOf } from './statistics.ts'

/** Rounds that are run and thrown away: just-in-time compilers and sessions settle in them. */
const warmUpRounds = 2

/**
 * Measures contestants against each other at several loads. Rounds of all contestants alternate, and each round starts
 * with another one, so that what else the machine does hits all alike. The row of the first contestant has its ratio to
 * each other one: the median of the ratios of the rounds. Throws what a contestant failed with if it did nothing at all in
 * a round: there is nothing to compare then.
 */
export async function compareLoad(
  contestants: readonly Contestant[],
  inFlightLevels: readonly number[],
  { rounds, roundMs, log }: BenchOptions,
): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = []
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
        const load = await measureLoad(() => contestant.work(), inFlight, roundMs)
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
  return {
    inFlight,
    contestant,
    callsPerSecond: Math.round(calls.median),
    callsPerSecondMin: Math.round(calls.min),
    callsPerSecondMax: Math.round(calls.max),
    p50Ms: round3(spreadOf(own.map(({ p50Ms }) => p50Ms)).median),
    p99Ms: round3(spreadOf(own.map(({ p99Ms }) => p99Ms)).median),
    failed: own.reduce((sum, { failed }) => sum + failed, 0),
  }
}

function compareTo(
  first: readonly Load[],
  peers: readonly Contestant[],
  loads: readonly (readonly Load[])[],
): BenchRow {
  const ratios = peers.map(({ name }, at) => {
    const rounds = first.map(({ callsPerSecond }, round) => callsPerSecond / (loads[at]?.[round]?.callsPerSecond ?? 0))
    return [`ratio to ${name}`, round3(spreadOf(rounds).median)] as const
  })
  return Object.fromEntries(ratios)
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000
}
