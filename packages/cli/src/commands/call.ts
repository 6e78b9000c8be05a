import type { Command } from 'commander'
import type { Outcome } from '@parley/mesh'
import { MeshError } from '@parley/protocol'
import { callOnce, type CallerFlags } from '../call-once.ts'
import type { CliContext } from '../cli-context.ts'
import { describeCode } from '../describe-code.ts'
import { exitCodes } from '../exit-code.ts'
import { loadCapability } from '../load-capability.ts'
import { collect, parseWhole } from '../parse-whole.ts'

interface CallFlags extends CallerFlags {
  readonly contract: string
  readonly json?: boolean
}

/** Adds `parley call`. */
export function addCallCommand(program: Command, context: CliContext): void {
  program
    .command('call <capability> <input>')
    .description(
      'call a capability as an agent or a person, for instance: parley call flights:reserve \'{"to":"SFO"}\'',
    )
    .requiredOption('--as <name>', 'the name that calls, for instance acme/desk')
    .option('--to <name>', 'the agent to ask; default: any of the same owner that serves it')
    .option('--issuer <dir>', 'a folder that `parley issuer init` made')
    .option('--credential <file>', 'instead of an issuer: what `parley credential issue --json` printed for a person')
    .option('--key <file>', 'the key of that credential, made by `parley keys init`')
    .requiredOption('--contract <file>', 'a module that exports the contract; caller and callee must have the same')
    .option('--nats <url>', 'the broker; default NATS_URL')
    .option('--mesh <name>', 'the mesh; default main')
    .option('--nats-account <dir>', 'keys of the mesh on a fenced broker, made by `parley nats-config operator`')
    .option('--anchor <file>', 'an anchor.json of another owner to accept; may be repeated', collect)
    .option('--data <file>', 'keeps the audit log in a store, for `parley why`')
    .option('--deadline <ms>', 'milliseconds to wait; default 5000', parseWhole)
    .option(
      '--approval <file>',
      'the answer of a person, as `parley approve grant` printed it; may be repeated',
      collect,
    )
    .option('--on-behalf-of <who>', 'the human or tenant for whom this is done')
    .option('--json', 'print the outcome as JSON')
    .action(async (capability: string, input: string, flags: CallFlags) => {
      const contract = await loadCapability(flags.contract, capability)
      const outcome = await callOnce(context, contract, parseInput(input), flags)
      context.print(flags.json ?? false, formatOutcome(context, outcome), describeOutcome(outcome))
      context.end(exitCodeOf(outcome))
    })
}

function parseInput(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new MeshError('cli.usage', 'the input is not JSON; quote it for the shell, like \'{"to":"SFO"}\'', { cause })
  }
}

function exitCodeOf({ kind }: Outcome): number {
  if (kind === 'ok') return exitCodes.ok
  return kind === 'declined' || kind === 'refused' ? exitCodes.no : exitCodes.failure
}

function describeOutcome({ hop, ...outcome }: Outcome): unknown {
  const { explain, ...facts } = hop
  return { ...outcome, hop: { ...facts, explained: explain() } }
}

function formatOutcome({ paint }: CliContext, outcome: Outcome): readonly string[] {
  const { hop } = outcome
  const detail =
    outcome.kind === 'ok' ? outcome.output : outcome.kind === 'declined' ? outcome.error : { code: outcome.code }
  const kind = outcome.kind === 'ok' ? paint.green(outcome.kind) : paint.red(outcome.kind)
  const todo = 'code' in outcome ? describeCode(outcome.code)?.todo : undefined
  const advice = todo === undefined ? [] : [`what to do: ${todo}`]
  const asked = outcome.kind === 'refused' ? outcome.approval : undefined
  const approval = asked === undefined ? [] : [`request ${asked.id}`, `digest ${asked.digest}`]
  return [`${kind} ${JSON.stringify(detail)}`, hop.explain(), ...advice, ...approval, paint.dim(`hop ${hop.id}`)]
}
