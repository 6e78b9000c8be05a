import type { Command } from 'commander'
import type { Outcome } from '@parley/mesh'
import { callOnce, type CallerFlags } from '../call-once.ts'
import { addBrokerOptions } from '../broker-options.ts'
import type { CliContext } from '../cli-context.ts'
import { describeCode } from '../describe-code.ts'
import { exitCodeOfOutcome } from '../exit-code.ts'
import { loadCapability } from '../load-capability.ts'
import { parseDuration } from '../duration.ts'
import { parseJson } from '../parse-json.ts'
import { parseName } from '../parse-name.ts'
import { collect } from '../repeatable.ts'

interface CallFlags extends CallerFlags {
  readonly contract: string
  readonly json?: boolean
}

/** Adds `parley call`. */
export function addCallCommand(program: Command, context: CliContext): void {
  const command = program
    .command('call <capability> <input>')
    .description(
      'call a capability as an agent or a person, for instance: parley call flights:reserve \'{"to":"SFO"}\'',
    )
    .requiredOption('--as <name>', 'the name that calls, for instance acme/desk', parseName)
    .requiredOption('--contract <file>', 'a module that exports the contract; caller and callee must have the same')
    .option('--to <name>', 'the agent to ask; default any of the same owner that serves it', parseName)
    .option('--issuer <dir>', 'a folder that `parley issuer init` made')
    .option('--credential <file>', 'instead of an issuer: what `parley credential issue --json` printed for a person')
    .option('--key <file>', 'the key of that credential, made by `parley keys init`')
    .option('--anchor <file>', 'the anchor.json of an owner to accept; with --credential yours above all', collect)
  addBrokerOptions(command)
    .option('--nats-account <dir>', 'keys of the mesh on a fenced broker, made by `parley nats-config operator`')
    .option('--data <file>', 'keeps the audit log in a store, for `parley why`')
    .option('--deadline <duration>', 'how long to wait; default 5s', parseDuration)
    .option('--approval <file>', 'the answer of a person, as `parley approve grant` printed it', collect)
    .option('--on-behalf-of <who>', 'the human or tenant for whom this is done')
    .option('--json', 'print the outcome as JSON')
    .action(async (capability: string, input: string, flags: CallFlags) => {
      const contract = await loadCapability(flags.contract, capability)
      const outcome = await callOnce(context, contract, parseJson('the input', input), flags)
      context.print(flags.json ?? false, formatOutcome(context, outcome), describeOutcome(outcome))
      context.end(exitCodeOfOutcome(outcome.kind))
    })
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
