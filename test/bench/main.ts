import { parseArgs } from 'node:util'
import { runCommand } from '../run-command.ts'
import type { Bench } from './bench.ts'
import { benches } from './benches.ts'
import { formatTable } from './format-table.ts'
import { describeMachine } from './machine.ts'

const usage = `Usage: pnpm bench NAME [--json] [--rounds N] [--seconds N] [--in-flight N,N] [--only NAME]…\n\n${benches
  .map(({ name, about }) => `  ${name}  ${about}`)
  .join('\n')}`

interface Measurement {
  readonly bench: Bench
  readonly json: boolean
  readonly rounds: number
  readonly roundMs: number
  readonly inFlight: readonly number[]
  readonly only: readonly string[]
}

function readMeasurement(args: readonly string[]): Measurement | undefined {
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
  if (!bench || positionals.length > 1) return undefined
  const rounds = Number(values.rounds ?? bench.defaultRounds)
  const roundMs = Number(values.seconds ?? bench.defaultSeconds ?? 1) * 1000
  const inFlight = values['in-flight']?.split(',').map(Number) ?? bench.inFlight
  if (!Number.isInteger(rounds) || rounds < 1 || !(roundMs > 0)) return undefined
  if (!inFlight.every((level) => Number.isInteger(level) && level > 0)) return undefined
  return { bench, json: values.json, rounds, roundMs, inFlight, only: values.only }
}

/** With --json stdout holds one object and nothing else; what is for people goes to stderr. */
async function measure({ bench, json, ...measured }: Measurement): Promise<boolean> {
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
  return targets.every(({ holds }) => holds)
}

await runCommand({ usage, read: readMeasurement, run: measure })
