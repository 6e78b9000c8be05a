import { join } from 'node:path'
import process from 'node:process'
import type { Command } from 'commander'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { checkBroker } from '../doctor/check-broker.ts'
import { checkClock } from '../doctor/check-clock.ts'
import { checkKeys } from '../doctor/check-keys.ts'
import { checkNatsServer } from '../doctor/check-nats-server.ts'
import { checkNatsStore } from '../doctor/check-nats-store.ts'
import { checkNode } from '../doctor/check-node.ts'
import { checkPolicy } from '../doctor/check-policy.ts'
import { checkSync } from '../doctor/check-sync.ts'
import { checkStore } from '../doctor/check-store.ts'
import type { Finding } from '../doctor/finding.ts'
import { exitCodes } from '../exit-code.ts'
import { collect } from '../repeatable.ts'

interface DoctorFlags {
  readonly nats?: string
  readonly monitor?: readonly string[]
  readonly store?: readonly string[]
  readonly data?: readonly string[]
  readonly policy?: readonly string[]
  readonly keys?: readonly string[]
  readonly fetch?: boolean
  readonly json?: boolean
}

/** Adds `parley doctor`. */
export function addDoctorCommand(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .description('check what a node needs here; each line says ok, warn or fail, and what to do')
    .option('--nats <url>', 'a broker to connect to; default NATS_URL')
    .option('--monitor <url>', 'the monitoring port of a broker, which tells how it syncs', collect)
    .option('--store <name>', 'a store on the JetStream of that broker', collect)
    .option('--data <file>', 'the store of a stopped node', collect)
    .option('--policy <file>', 'a policy document of one node', collect)
    .option('--keys <dir>', 'a folder with key files', collect)
    .option('--fetch', 'fetch a nats-server if there is none')
    .option('--json', 'print the findings as JSON')
    .action(async (flags: DoctorFlags) => {
      const findings = await examine(context, flags)
      context.print(
        flags.json ?? false,
        findings.flatMap((finding) => formatFinding(context, finding)),
        { findings },
      )
      context.end(findings.some(({ level }) => level === 'fail') ? exitCodes.no : exitCodes.ok)
    })
}

async function examine({ env, host, protection }: CliContext, flags: DoctorFlags): Promise<readonly Finding[]> {
  const { nats = env.natsUrl, monitor = [], store = [], data = [], policy = [], keys = [], fetch = false } = flags
  const ports = { clock: createSystemClock(), random: createSystemRandom(), ...protection }
  const log = (line: string): void => {
    host.err(`${line}\n`)
  }
  const wrong = monitor.find((url) => !URL.canParse(url))
  if (wrong !== undefined) throw new MeshError('cli.usage', `--monitor ${wrong} is no URL, like http://127.0.0.1:8222`)
  const findings = [
    checkNode(process.version),
    await checkClock(ports.clock),
    await checkNatsServer({ env: host.env, cacheDir: join('.parley', 'cache'), log }, fetch),
  ]
  if (nats !== undefined) findings.push(await checkBroker(nats))
  for (const name of store) findings.push(await checkNatsStore(name, nats, monitor))
  for (const url of monitor) findings.push(await checkSync(url))
  for (const dir of keys) findings.push(...(await checkKeys(dir, ports)))
  if (policy.length > 0) findings.push(await checkPolicy(policy))
  for (const path of data) findings.push(await checkStore(path))
  return findings
}

/** Under the text of a finding: a mark, the name of a check, and the blanks after them. */
const indent = ' '.repeat(18)

function formatFinding({ paint }: CliContext, { level, check, text, todo }: Finding): readonly string[] {
  const marks = { ok: paint.green('ok  '), warn: paint.yellow('warn'), fail: paint.red('fail') }
  return [
    `${marks[level]} ${check.padEnd(12)} ${text.replaceAll('\n', `\n${indent}`)}`,
    ...(todo === undefined ? [] : [`${indent}${todo}`]),
  ]
}
