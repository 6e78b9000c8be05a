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
      judge(
        `${part}: sagas/s to the better of Restate and DBOS, 64 in flight`,
        Math.min(...ratios),
        minRatioToPeers,
        true,
      )
    if (end === 'completed') judge(`${part}: p50 in ms, alone`, find(part, ours, 1)?.['p50Ms'], maxAloneP50Ms, false)
  }
  const remote = find('remote, completed', 'parley, three participants', judgedInFlight)
  judge('remote, completed: sagas/s, 64 in flight', remote?.['sagasPerSecond'], minRemotePerSecond, true)
  for (const { name, part, figure, target } of figures)
    judge(name, rows.find((row) => row['part'] === part)?.[figure], target, false)
  return targets
}

/** What one row says by itself. */
const figures = [
  { name: '100,000 waiting sagas: growth of the process in MB', part: 'waiting', figure: 'residentMb', target: 500 },
  { name: 'slowest of 1,000 signals to its next step, in ms', part: 'waiting', figure: 'wakeMaxMs', target: 50 },
  { name: '10,000 orphans: seconds until all are settled', part: 'recovery', figure: 'seconds', target: 30 },
  { name: 'journal bytes for a local step', part: 'journal', figure: 'localStepBytes', target: 1_024 },
  {
    name: 'journal bytes for a remote step, with its receipt',
    part: 'journal',
    figure: 'remoteStepBytes',
    target: 3_072,
  },
  { name: 'a group of 100: microseconds to fold an event', part: 'group', figure: 'foldUs', target: 20 },
] as const satisfies readonly {
  readonly name: string
  readonly part: string
  readonly figure: string
  readonly target: number
}[]
