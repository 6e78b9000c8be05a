import type { BenchRow, BenchTarget } from '../bench.ts'

/** How many times the sagas per second of the better peer ours have to reach. */
const minRatioToPeers = 5
const maxAloneP50Ms = 2
const minRemotePerSecond = 1_000
/** The load that ratios are judged at. */
const judgedInFlight = 64
const ours = 'parley on SQLite'
const peers = ['restate', 'dbos']

/** Decides the targets of sagas per second over the rows of a run. What was not measured beside both peers is not judged. */
export function decideSagaTargets(rows: readonly BenchRow[]): readonly BenchTarget[] {
  const find = (part: string, contestant: string, inFlight: number): BenchRow | undefined =>
    rows.find((row) => row['part'] === part && row['contestant'] === contestant && row['inFlight'] === inFlight)
  const targets: BenchTarget[] = []
  const judge = (name: string, value: unknown, target: number, isAtLeast: boolean): void => {
    if (typeof value === 'number')
      targets.push({ name, value, target, holds: isAtLeast ? value >= target : value <= target })
  }
  for (const end of ['completed', 'undone']) {
    const part = `local, ${end}`
    const row = find(part, ours, judgedInFlight)
    const ratios = peers.map((peer) => row?.[`ratio to ${peer}`])
    if (ratios.every((ratio) => typeof ratio === 'number'))
      judge(`${part}: sagas/s to the better of Restate and DBOS, 64 in flight`, Math.min(...ratios), minRatioToPeers, true)
    if (end === 'completed') judge(`${part}: p50 in ms, alone`, find(part, ours, 1)?.['p50Ms'], maxAloneP50Ms, false)
  }
  const remote = find('remote, completed', 'parley, three participants', judgedInFlight)
  judge('remote, completed: sagas/s, 64 in flight', remote?.['sagasPerSecond'], minRemotePerSecond, true)
  return targets
}
