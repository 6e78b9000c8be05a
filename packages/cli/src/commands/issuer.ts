import type { Command } from 'commander'
import { formatJoinToken, initFileIssuer, isWebDid, openFileIssuer, type Anchor } from '@parley/identity'
import { MeshError, type Did } from '@parley/protocol'
import { addBrokerOptions, type BrokerFlags } from '../broker-options.ts'
import type { CliContext } from '../cli-context.ts'
import { issuerFolder } from '../issuer-folder.ts'
import { openFence } from '../open-fence.ts'
import { parseDuration } from '../duration.ts'
import { collect } from '../repeatable.ts'
import { readAnchors } from '../read-anchor.ts'
import { runIssuer, type IssuerRun } from '../run-issuer.ts'

interface InitFlags {
  readonly alias: string
  readonly did?: string
  readonly json?: boolean
}

interface TokenFlags extends BrokerFlags {
  readonly anchor?: readonly string[]
  readonly serves?: readonly string[]
  readonly calls?: readonly string[]
  readonly life?: number
  readonly natsAccount?: string
  readonly json?: boolean
}

/** Adds `parley issuer init`, `run` and `token`. */
export function addIssuerCommands(program: Command, context: CliContext): void {
  const issuer = program.command('issuer').description("make an owner's keys, serve credentials, invite newcomers")
  issuer
    .command('init <dir>')
    .description('make an owner, its issuer and the statement between them in a folder')
    .requiredOption('--alias <name>', 'the first part of every name that it gives, for instance acme')
    .option('--did <did>', 'the owner is this did:web; the did.json to publish is written too')
    .option('--json', 'print the anchor as JSON')
    .action(async (dir: string, flags: InitFlags) => {
      const { alias, did, json = false } = flags
      const anchor = await initFileIssuer({
        ...issuerFolder(dir, context),
        alias,
        ...(did === undefined ? {} : { did: parseWebDid(did) }),
      })
      context.print(json, describe(dir, anchor, context.env.passphrase !== undefined), { dir, anchor })
    })
  const run = issuer
    .command('run <dir>')
    .description('serve credentials on the mesh until it is ended: to newcomers with a join token, and renewals')
    .requiredOption('--data <file>', 'keeps which join tokens were used, and the audit log')
  addBrokerOptions(run)
    .option('--anchor <file>', 'an anchor.json of another owner to accept', collect)
    .option('--life <duration>', 'life of a credential; default 15m', parseDuration)
    .option('--grace <duration>', 'for how long an expired credential can be renewed; default 1h', parseDuration)
    .option('--rejoin <duration>', 'for how long a stopped process may come back; default 7d', parseDuration)
    .option('--nats-account <dir>', 'keys of the mesh on a fenced broker, made by `parley nats-config operator`')
    .option('--json', 'print what happens as JSON, one object a line')
    .action(async (dir: string, flags: IssuerRun) => {
      context.end(await runIssuer(context, dir, flags))
    })
  const token = issuer
    .command('token <dir> <name>')
    .description(
      "make a one-time join token for one instance of a name: a secret, for `joinMesh`; broker and mesh are the newcomer's",
    )
  addBrokerOptions(token)
    .option('--anchor <file>', 'an anchor.json of another owner that it shall accept', collect)
    .option('--serves <pattern>', 'at most these capabilities may be served', collect)
    .option('--calls <pattern>', 'at most these capabilities may be called', collect)
    .option('--life <duration>', 'how long it can be used; default 10m', parseDuration)
    .option('--nats-account <dir>', 'keys of the mesh on a fenced broker, made by `parley nats-config operator`')
    .option('--json', 'print it as JSON')
    .action(async (dir: string, name: string, flags: TokenFlags) => {
      await makeToken(context, dir, name, flags)
    })
}

async function makeToken(context: CliContext, dir: string, name: string, flags: TokenFlags): Promise<void> {
  const { mesh, serves, calls, life, json = false } = flags
  const nats = flags.nats ?? context.env.natsUrl
  const fence = await openFence(context, dir, flags.natsAccount)
  const issuer = await openFileIssuer({ ...issuerFolder(dir, context), ...fence.issuer })
  const others = await readAnchors(flags.anchor ?? [])
  const made = await issuer.joinToken({
    name,
    anchors: [issuer.anchor, ...others],
    ...(nats === undefined ? {} : { nats }),
    ...(mesh === undefined ? {} : { mesh }),
    ...(serves ? { serves } : {}),
    ...(calls ? { calls } : {}),
    ...(life === undefined ? {} : { lifeMs: life }),
    ...(fence.node ? { door: fence.node.keys.signer.did } : {}),
  })
  const token = formatJoinToken(made.token)
  context.print(json, [token], { name, id: made.id, expiresAtMs: made.expiresAtMs, token })
  if (nats === undefined)
    context.remark(json, 'This token names no broker: give --nats or NATS_URL, or the newcomer has to know it.')
  const until = new Date(made.expiresAtMs).toISOString()
  const takeBack = `parley revoke ${made.id} --issuer ${dir}`
  context.remark(json, `A secret: lets one instance of ${name} in, until ${until}. To take it back: ${takeBack}`)
}

function parseWebDid(text: string): Did {
  if (isWebDid(text)) return text
  throw new MeshError('cli.usage', `--did ${text} is not a did:web, for instance did:web:acme.example`)
}

function describe(dir: string, anchor: Anchor, isEncrypted: boolean): readonly string[] {
  return [
    `${anchor.alias} is ${anchor.owner}`,
    `${dir}/owner.key       signs statements, delegations and orders: keep it offline`,
    `${dir}/issuer.key      signs credentials of ${anchor.issues.join(', ')}`,
    `${dir}/statement.jwt   says that the issuer may, for 90 days`,
    `${dir}/anchor.json     give it to whoever shall accept this owner`,
    ...(anchor.pin === undefined ? [] : [`${dir}/did.json        publish it where ${anchor.owner} says`]),
    isEncrypted
      ? 'The keys are encrypted under PARLEY_PASSPHRASE.'
      : 'The keys are protected by their file mode alone; with PARLEY_PASSPHRASE set they are encrypted.',
  ]
}
