import type { Command } from 'commander'
import {
  createGivenIssuer,
  createKeySigner,
  generateUserNkey,
  openFileIssuer,
  openNatsAccount,
  readKeyFile,
  type Anchor,
  type InstanceKeys,
} from '@parley/identity'
import { createNode, type Outcome } from '@parley/mesh'
import { createSystemClock, createSystemRandom, type Issuer } from '@parley/ports'
import { isAgentName, MeshError, type AgentName } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { describeCode } from '../describe-code.ts'
import { exitCodes } from '../exit-code.ts'
import { loadCapability } from '../load-capability.ts'
import { collect, parseWhole } from '../parse-whole.ts'
import { parseIssued } from '../parse-issued.ts'
import { readAnchorFile } from '../read-anchor.ts'
import { readText } from '../read-text.ts'

interface CallFlags {
  readonly as: string
  readonly to?: string
  readonly issuer?: string
  readonly credential?: string
  readonly key?: string
  readonly contract: string
  readonly nats?: string
  readonly mesh?: string
  readonly anchor?: readonly string[]
  readonly natsAccount?: string
  readonly data?: string
  readonly deadline?: number
  readonly onBehalfOf?: string
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
    .option('--on-behalf-of <who>', 'the human or tenant for whom this is done')
    .option('--json', 'print the outcome as JSON')
    .action(async (capability: string, input: string, flags: CallFlags) => {
      const outcome = await callOnce(context, capability, parseInput(input), flags)
      context.print(flags.json ?? false, formatOutcome(context, outcome), describeOutcome(outcome))
      context.end(exitCodeOf(outcome))
    })
}

async function callOnce({ env }: CliContext, capability: string, input: unknown, flags: CallFlags): Promise<Outcome> {
  const nats = flags.nats ?? env.natsUrl
  if (nats === undefined) throw new MeshError('cli.usage', 'there is no broker: give --nats or set NATS_URL')
  const { to, mesh, data, deadline, onBehalfOf } = flags
  assertName('--as', flags.as)
  if (to !== undefined) assertName('--to', to)
  const contract = await loadCapability(flags.contract, capability)
  const others = await Promise.all((flags.anchor ?? []).map(readAnchorFile))
  const protection = env.passphrase === undefined ? {} : { passphrase: env.passphrase }
  const caller = await openCaller(flags, protection)
  await using node = await createNode({
    name: flags.as,
    issuer: caller.issuer,
    ...(caller.keys ? { keys: caller.keys } : {}),
    anchors: [...caller.anchors, ...others],
    calls: [contract],
    nats: { servers: nats, maxReconnectAttempts: 0 },
    ...(mesh === undefined ? {} : { mesh }),
    ...(data === undefined ? {} : { data }),
  })
  await node.start()
  return await node.tryCall(contract, input, {
    ...(to === undefined ? {} : { to }),
    ...(deadline === undefined ? {} : { deadlineMs: deadline }),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
  })
}

/** Opens what a call is signed with: an issuer's folder, which gives a fresh key its credential, or a person's own. */
async function openCaller(
  { issuer: dir, credential, key, natsAccount: accountDir }: CallFlags,
  protection: { readonly passphrase?: string },
): Promise<{ readonly issuer: Issuer; readonly keys?: InstanceKeys; readonly anchors: readonly Anchor[] }> {
  const random = createSystemRandom()
  if (credential !== undefined && key !== undefined && dir === undefined) {
    const issuer = createGivenIssuer(parseIssued(credential, await readText(credential)))
    const signer = createKeySigner(await readKeyFile(key, protection))
    return { issuer, keys: { signer, nkey: generateUserNkey(random) }, anchors: [] }
  }
  if (dir === undefined || credential !== undefined || key !== undefined)
    throw new MeshError('cli.usage', 'give --issuer, or --credential with --key and the --anchor of its owner')
  const natsAccount = accountDir === undefined ? undefined : await openNatsAccount({ dir: accountDir, ...protection })
  const clock = createSystemClock()
  const issuer = await openFileIssuer({ dir, clock, random, ...protection, ...(natsAccount ? { natsAccount } : {}) })
  return { issuer, anchors: [issuer.anchor] }
}

function assertName(option: string, name: string): asserts name is AgentName {
  if (!isAgentName(name)) throw new MeshError('cli.usage', `${option} ${name} is not of the form owner/agent`)
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
  return [`${kind} ${JSON.stringify(detail)}`, hop.explain(), ...advice, paint.dim(`hop ${hop.id}`)]
}
