import { parseArgs } from 'node:util'
import type { Bench } from './bench.ts'
import { benches } from './benches.ts'
import { formatTable } from './format-table.ts'
import { describeMachine } from './machine.ts'

const usage = `Usage: pnpm bench NAME [--json] [--rounds N] [--seconds N]\n\n${benches
  .map(({ name, about }) => `  ${name}  ${about}`)
  .join('\n')}`

interface Command {
  readonly bench: Bench
  readonly json: boolean
  readonly rounds: number
  readonly roundMs: number
}

function readCommand(args: readonly string[]): Command | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        rounds: { type: 'string', default: '7' },
        seconds: { type: 'string', default: '1' },
      },
    })
    const bench = benches.find(({ name }) => name === positionals[0])
    if (!bench || positionals.length > 1) return usage
    const rounds = Number(values.rounds)
    const roundMs = Number(values.seconds) * 1000
    if (!Number.isInteger(rounds) || rounds < 1 || !(roundMs > 0)) return usage
    return { bench, json: values.json, rounds, roundMs }
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
  const { bench, json, rounds, roundMs } = command
  const say = json ? console.error : console.log
  say([`${bench.name}: ${bench.about}`, ...describeMachine(bench.libraries), ''].join('\n'))
  const { rows, targets } = await bench.run({
    rounds,
    roundMs,
    log: (line) => {
      if (process.stderr.isTTY) console.error(line)
    },
  })
  if (json) console.log(JSON.stringify({ name: bench.name, rows, targets }))
  else {
    say(formatTable(rows))
    for (const { name, value, target, holds } of targets)
      say(`${holds ? 'holds' : 'FAILS'}  ${name}: ${String(value)} (target ${String(target)})`)
  }
  if (targets.some(({ holds }) => !holds)) process.exitCode = 1
}
