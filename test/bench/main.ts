import { parseArgs } from 'node:util'
import type { Bench } from './bench.ts'
import { benches } from './benches.ts'
import { formatTable } from './format-table.ts'
import { describeMachine } from './machine.ts'

const usage = `Usage: pnpm bench NAME [--json] [--rounds N] [--seconds N] [--in-flight N,N] [--only NAME]…\n\n${benches
  .map(({ name, about }) => `  ${name}  ${about}`)
  .join('\n')}`

interface Command {
  readonly bench: Bench
  readonly json: boolean
  readonly rounds: number
  readonly roundMs: number
  readonly inFlight: readonly number[]
  readonly only: readonly string[]
}

function readCommand(args: readonly string[]): Command | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        'in-flight': { type: 'string' },
        only: { type: 'string', multiple: true, default: [] },
      },
    })
    const bench = benches.find(({ name }) => name === positionals[0])
    if (!bench || positionals.length > 1) return usage
    const rounds = Number(values.rounds ?? bench.defaultRounds)
    const roundMs = Number(values.seconds ?? bench.defaultSeconds ?? 1) * 1000
    const inFlight = values['in-flight']?.split(',').map(Number) ?? bench.inFlight
    if (!Number.isInteger(rounds) || rounds < 1 || !(roundMs > 0)) return usage
    if (!inFlight.every((level) => Number.isInteger(level) && level > 0)) return usage
    return { bench, json: values.json, rounds, roundMs, inFlight, only: values.only }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${usage}`
  }
}

const args = process.argv.slice(2).filter((argument) => argument !== '--')
// With --json stdout holds one object and nothing else; what is for people goes to stderr.
const command = readCommand(args)
if (args.includes('--help') || args.includes('-h')) {
  console.log(usage)
} else if (typeof command === 'string') {
  console.error(command)
  process.exitCode = 2
} else {
  const { bench, json, ...measured } = command
  const { rounds, roundMs } = measured
  const run = `run       ${String(rounds)} rounds of ${String(roundMs / 1000)} s for each contestant and setting`
  const say = json ? console.error : console.log
  say([`${bench.name}: ${bench.about}`, ...describeMachine(bench.libraries), run, ''].join('\n'))
  const { rows, targets } = await bench.run({
    ...measured,
    log: (line) => {
      if (process.stderr.isTTY) console.error(line)
    },
  })
  if (json) console.log(JSON.stringify({ name: bench.name, rounds, roundMs, rows, targets }))
  else {
    say(formatTable(rows))
    for (const { name, value, target, holds } of targets)
      say(`${holds ? 'holds' : 'FAILS'}  ${name}: ${String(value)} (target ${String(target)})`)
  }
  if (targets.some(({ holds }) => !holds)) process.exitCode = 1
}
