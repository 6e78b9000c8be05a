import { parseArgs } from 'node:util'
import { runCommand } from '../run-command.ts'
import { isSafeguard, safeguards, type SafeguardName } from '../sim/safeguards.ts'
import { runningProcesses } from './chaos-process.ts'
import { runSagas, type RunReport } from './saga-run.ts'

const usage = `Usage: pnpm chaos saga [--runs N] [--seed N] [--break SAFEGUARD] [--keep]

  --runs   runs in real processes, 50 by default: each has its seed, counted from --seed, 1 by default
  --keep   keeps databases, journals and the log of every run, not only of those that break a guarantee
  --break  cuts one safeguard out of every process: ${Object.keys(safeguards).join(', ')}`

/** From so many runs on, faults that no zombie came of prove nothing. */
const enoughForZombies = 8

interface Storm {
  readonly runs: number
  readonly seed: number
  readonly keeps: boolean
  readonly safeguard?: SafeguardName
}

function readStorm(args: readonly string[]): Storm | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '50' },
      seed: { type: 'string', default: '1' },
      keep: { type: 'boolean', default: false },
      break: { type: 'string' },
    },
  })
  const [runs, seed, safeguard] = [Number(values.runs), Number(values.seed), values.break]
  if (positionals.length !== 1 || positionals[0] !== 'saga') return undefined
  if (![runs, seed].every((number) => Number.isSafeInteger(number) && number >= 1)) return undefined
  if (safeguard !== undefined && !isSafeguard(safeguard)) return undefined
  return { runs, seed, keeps: values.keep, ...(safeguard && { safeguard }) }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function tally(into: Record<string, number>, from: Iterable<string>): void {
  for (const what of from) into[what] = (into[what] ?? 0) + 1
}

function format(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).toSorted(([left], [right]) => (left < right ? -1 : 1))
  return sorted.map(([what, count]) => `${count} ${what}`).join(', ')
}

function printRun(at: number, { plan, ends, counts, violations, tookMs, kept }: RunReport): void {
  const endings: Record<string, number> = {}
  tally(endings, ends.values())
  const verdict = violations.length === 0 ? 'ok' : 'BROKEN'
  const seconds = (tookMs / 1_000).toFixed(1)
  print(
    `${String(at).padStart(3)} seed ${plan.seed} ${plan.stage}: ${format(endings)}; ${format(counts)}; ${seconds} s: ${verdict}`,
  )
  for (const violation of violations.slice(0, 10)) print(`      ${violation}`)
  if (kept !== undefined) print(`      databases, journals and the log are in ${kept}`)
}

async function run({ runs, seed, keeps, safeguard }: Storm): Promise<boolean> {
  const endings: Record<string, number> = {}
  const counts: Record<string, number> = {}
  let broken = 0
  for (let at = 1; at <= runs; at++) {
    const report = await runSagas(seed + at - 1, { keeps, ...(safeguard && { safeguard }) })
    printRun(at, report)
    tally(endings, report.ends.values())
    for (const [what, count] of Object.entries(report.counts)) counts[what] = (counts[what] ?? 0) + count
    if (report.violations.length > 0) broken++
  }
  const zombies = (counts['stale appends'] ?? 0) + (counts['stale commands'] ?? 0)
  const provesNothing = runs >= enoughForZombies && zombies === 0
  print(`sagas: ${format(endings)}; ${format(counts)}; ${zombies} zombies refused`)
  const verdict =
    broken > 0 ? `BROKEN, ${broken} of them` : provesNothing ? 'NO ZOMBIE WAS SEEN' : 'every guarantee holds'
  print(`${runs} runs: ${verdict}`)
  return broken === 0 && !provesNothing
}

/** Ends what runs, each by its own id; the servers end with this process. */
function endAll(code: number): void {
  for (const child of runningProcesses) child.kill('SIGKILL')
  process.exit(code)
}
process.on('SIGINT', () => endAll(130))
process.on('SIGTERM', () => endAll(143))

await runCommand({ usage, read: readStorm, run })
