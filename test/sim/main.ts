import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runCommand } from '../run-command.ts'
import { runSeeds, type SeedSummary } from './run-seeds.ts'
import { isSafeguard, safeguards, type SafeguardName } from './safeguards.ts'
import type { SeedReport } from './sim-facts.ts'

const usage = `Usage: pnpm sim [--seeds N] [--from N] [--jobs N] [--break SAFEGUARD]
       pnpm sim --seed N [--break SAFEGUARD]
       pnpm sim --mutants [--seeds N]

  --seeds    schedules to run, 1000 by default; with --mutants 2000 at most for each safeguard
  --seed     one schedule, with its timeline
  --break    cuts one safeguard out: ${Object.keys(safeguards).join(', ')}
  --mutants  cuts out each safeguard in turn; every one has to be missed`

interface Search {
  readonly seeds: number
  readonly from: number
  readonly jobs: number
  readonly seed?: number
  readonly safeguard?: SafeguardName
  readonly mutants: boolean
}

function readSearch(args: readonly string[]): Search | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      from: { type: 'string', default: '1' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      seed: { type: 'string' },
      break: { type: 'string' },
      mutants: { type: 'boolean', default: false },
    },
  })
  const mutants = values.mutants
  const [seeds, from, jobs] = [
    Number(values.seeds ?? (mutants ? 2_000 : 1_000)),
    Number(values.from),
    Number(values.jobs),
  ]
  const seed = values.seed === undefined ? undefined : Number(values.seed)
  const numbers = [seeds, jobs, from, seed ?? 0]
  if (numbers.some((number) => !Number.isSafeInteger(number) || number < 0) || seeds < 1 || jobs < 1) return undefined
  const safeguard = values.break
  if (safeguard !== undefined && !isSafeguard(safeguard)) return undefined
  return { seeds, from, jobs, mutants, ...(seed !== undefined && { seed }), ...(safeguard && { safeguard }) }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function printBreaches({ seed, breaches }: SeedReport): void {
  for (const { invariant, what, atMs } of breaches.slice(0, 5))
    print(`seed ${seed}: invariant ${invariant} at ${atMs.toFixed(3)} ms: ${what}`)
}

function formatEnds(ends: SeedSummary['ends']): string {
  const sorted = Object.entries(ends).toSorted(([left], [right]) => (left < right ? -1 : 1))
  return sorted.map(([end, count]) => `${count} ${end}`).join(', ')
}

async function replay({ seed = 1, safeguard }: Search): Promise<boolean> {
  const { broken } = await runSeeds({
    from: seed,
    count: 1,
    jobs: 1,
    stopsAtBreach: false,
    timelines: true,
    ...(safeguard && { safeguard }),
    onReport: ({ timeline = '' }) => process.stdout.write(timeline),
  })
  broken.forEach(printBreaches)
  print(`seed ${seed}: ${broken.length === 0 ? 'every invariant holds' : 'BROKEN'}`)
  return broken.length === 0
}

async function searchSeeds({ from, seeds, jobs, safeguard }: Search): Promise<boolean> {
  let done = 0
  const startedAtMs = performance.now()
  const { runs, broken, ends } = await runSeeds({
    from,
    count: seeds,
    jobs,
    stopsAtBreach: safeguard !== undefined,
    ...(safeguard && { safeguard }),
    onReport(report) {
      done++
      // At once: a search may be long.
      printBreaches(report)
      if (process.stderr.isTTY && done % 100 === 0) process.stderr.write(`\r${done} schedules`)
    },
  })
  const [first] = broken
  const extra = safeguard === undefined ? '' : ` --break ${safeguard}`
  if (first) print(`replay it with its timeline: pnpm sim --seed ${first.seed}${extra}`)
  const aMinute = Math.round((runs * 60_000) / (performance.now() - startedAtMs))
  print(`sagas: ${formatEnds(ends)}; ${aMinute} schedules a minute`)
  print(`${runs} schedules: ${first ? `BROKEN, ${broken.length} of them` : 'every invariant holds'}`)
  return first === undefined
}

async function cutEach({ from, seeds, jobs }: Search): Promise<boolean> {
  let missed = 0
  const names = Object.keys(safeguards).filter(isSafeguard)
  for (const safeguard of names) {
    const { runs, broken } = await runSeeds({ from, count: seeds, jobs, stopsAtBreach: true, safeguard })
    const [first] = broken
    if (first) missed++
    const how = first?.breaches[0]
    const found = how ? `missed at seed ${first.seed}, invariant ${how.invariant}: ${how.what}` : 'NOT MISSED'
    print(`${safeguard.padEnd(20)} ${String(runs).padStart(5)} schedules  ${found}`)
  }
  print(`${missed} of ${names.length} safeguards are missed when they are gone`)
  return missed === names.length
}

await runCommand({
  usage,
  read: readSearch,
  run: (search) =>
    search.mutants ? cutEach(search) : search.seed === undefined ? searchSeeds(search) : replay(search),
})
