import { join } from 'node:path'
import { Option, type Command } from 'commander'
import {
  createAnchors,
  ensureInstanceKeys,
  formatNatsCredentials,
  generateUserNkey,
  initNatsAccount,
  mintNatsUserFrom,
  readNatsAccount,
} from '@parley/identity'
import { createSystemClock, createSystemRandom, systemHash } from '@parley/ports'
import {
  formatInstanceToken,
  formatMailboxToken,
  isAgentName,
  isMeshError,
  listPermissions,
  MeshError,
} from '@parley/protocol'
import { formatOperatorConfig, formatStaticConfig, type StaticUser } from '@parley/transport-nats'
import type { CliContext } from '../cli-context.ts'
import { parseDuration } from '../duration.ts'
import { collect } from '../repeatable.ts'
import { readAnchors } from '../read-anchor.ts'

interface OperatorFlags {
  readonly mesh?: string
  readonly json?: boolean
}

interface StaticFlags extends OperatorFlags {
  readonly agent: readonly string[]
  readonly anchor: readonly string[]
}

interface UserFlags {
  readonly role: 'monitor' | 'operator'
  readonly life: number
  readonly json?: boolean
}

/** The mesh of a node that is told none. */
const defaultMesh = 'main'
const userLifeMs = 28_800_000

/** Adds `parley nats-config operator|static|user`: what fences a mesh on a nats-server. */
export function addNatsConfigCommands(program: Command, context: CliContext): void {
  const command = program
    .command('nats-config')
    .description('print the part of a nats-server configuration that keeps agents apart')
  command
    .command('operator <dir>')
    .description(
      'accounts and user tokens: new instances need no reload; makes the keys in the folder if there are none',
    )
    .option('--mesh <name>', 'the mesh; default main')
    .option('--json', 'print it as a text in JSON')
    .action(async (dir: string, { mesh = defaultMesh, json = false }: OperatorFlags) => {
      const config = await configureOperator(context, dir, mesh)
      context.print(json, [config.trimEnd()], { mesh, config })
    })
  command
    .command('static <dir>')
    .description('a list of users, for a laptop; makes the keys of each agent in the folder if there are none')
    .option('--mesh <name>', 'the mesh; default main')
    .requiredOption('--agent <name>', 'an agent that may connect, for instance acme/flights', collect)
    .requiredOption('--anchor <file>', 'the anchor.json of an owner of these', collect)
    .option('--json', 'print it as a text in JSON')
    .action(async (dir: string, { mesh = defaultMesh, json = false, ...flags }: StaticFlags) => {
      const config = await configureStatic(context, dir, { mesh, ...flags })
      context.print(json, [config.trimEnd()], { mesh, agents: flags.agent, config })
    })
  command
    .command('user <dir>')
    .description('print NATS credentials for a person with tools: a secret')
    .addOption(
      new Option('--role <role>', 'monitor asks who is there; operator sees and may do everything')
        .choices(['monitor', 'operator'])
        .default('monitor'),
    )
    .addOption(new Option('--life <duration>', 'for how long').argParser(parseDuration).default(userLifeMs, '8h'))
    .option('--json', 'print them as a text in JSON')
    .action(async (dir: string, { role, life, json = false }: UserFlags) => {
      const { nkey, seed } = generateUserNkey(createSystemRandom())
      const expiresAtMs = createSystemClock().now() + life
      const minted = await mintNatsUserFrom({ dir, ...context.protection }, { nkey, role, expiresAtMs })
      const credentials = formatNatsCredentials(minted, seed)
      context.print(json, [credentials.trimEnd()], { role, expiresAtMs, credentials })
    })
}

async function configureOperator({ protection }: CliContext, dir: string, mesh: string): Promise<string> {
  const setup = { dir, mesh, random: createSystemRandom(), ...protection }
  const facts = await readNatsAccount(dir).catch((error: unknown) => {
    if (isMeshError(error) && error.code === 'identity.issuer-unavailable') return initNatsAccount(setup)
    throw error
  })
  if (facts.mesh !== mesh)
    throw new MeshError('cli.usage', `the keys in ${dir} are of the mesh ${facts.mesh}: give --mesh or another folder`)
  return formatOperatorConfig(facts)
}

async function configureStatic(
  { protection }: CliContext,
  dir: string,
  flags: StaticFlags & { readonly mesh: string },
): Promise<string> {
  const anchors = createAnchors(await readAnchors(flags.anchor))
  const random = createSystemRandom()
  const users: StaticUser[] = []
  for (const name of flags.agent) {
    const owner = isAgentName(name) ? anchors.ofName(name)?.owner : undefined
    if (!isAgentName(name) || owner === undefined)
      throw new MeshError('cli.usage', `no --anchor covers the agent ${JSON.stringify(name)}`)
    const folder = { dir: join(dir, name.replace('/', '-')), ...protection }
    const { signer, nkey } = await ensureInstanceKeys({ ...folder, random })
    const agent = formatMailboxToken(systemHash, { owner, name })
    const place = { mesh: flags.mesh, me: formatInstanceToken(signer.did), agent }
    users.push({ name, nkey: nkey.nkey, permissions: listPermissions('instance', place) })
  }
  return formatStaticConfig(users)
}
