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
import { collect, parseWhole } from '../parse-whole.ts'
import { readAnchorFile } from '../read-anchor.ts'

interface StaticFlags {
  readonly mesh: string
  readonly agent: readonly string[]
  readonly anchor: readonly string[]
}

const hourMs = 3_600_000

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
    .option('--mesh <name>', 'the mesh', 'main')
    .action(async (dir: string, { mesh }: { readonly mesh: string }) => {
      context.host.out(await configureOperator(context, dir, mesh))
    })
  command
    .command('static <dir>')
    .description('a list of users, for a laptop; makes the keys of each agent in the folder if there are none')
    .option('--mesh <name>', 'the mesh', 'main')
    .requiredOption('--agent <name>', 'an agent that may connect, for instance acme/flights; may be repeated', collect)
    .requiredOption('--anchor <file>', 'the anchor.json of an owner of these; may be repeated', collect)
    .action(async (dir: string, flags: StaticFlags) => {
      context.host.out(await configureStatic(context, dir, flags))
    })
  command
    .command('user <dir>')
    .description('print NATS credentials for a person with tools: a secret')
    .addOption(
      new Option('--role <role>', 'monitor asks who is there; operator sees and may do everything')
        .choices(['monitor', 'operator'])
        .default('monitor'),
    )
    .option('--hours <n>', 'for how long', parseWhole, 8)
    .action(async (dir: string, flags: { readonly role: 'monitor' | 'operator'; readonly hours: number }) => {
      context.host.out(await mintCredentials(context, dir, flags))
    })
}

async function configureOperator({ env }: CliContext, dir: string, mesh: string): Promise<string> {
  const setup = { dir, mesh, random: createSystemRandom(), ...protectionOf(env) }
  const facts = await readNatsAccount(dir).catch((error: unknown) => {
    if (isMeshError(error) && error.code === 'identity.issuer-unavailable') return initNatsAccount(setup)
    throw error
  })
  if (facts.mesh !== mesh)
    throw new MeshError('cli.usage', `the keys in ${dir} are of the mesh ${facts.mesh}: give --mesh or another folder`)
  return formatOperatorConfig(facts)
}

async function configureStatic({ env }: CliContext, dir: string, flags: StaticFlags): Promise<string> {
  const anchors = createAnchors(await Promise.all(flags.anchor.map(readAnchorFile)))
  const random = createSystemRandom()
  const users: StaticUser[] = []
  for (const name of flags.agent) {
    const owner = isAgentName(name) ? anchors.ofName(name)?.owner : undefined
    if (!isAgentName(name) || owner === undefined)
      throw new MeshError('cli.usage', `no --anchor covers the agent ${JSON.stringify(name)}`)
    const folder = { dir: join(dir, name.replace('/', '-')), ...protectionOf(env) }
    const { signer, nkey } = await ensureInstanceKeys({ ...folder, random })
    const agent = formatMailboxToken(systemHash, { owner, name })
    const place = { mesh: flags.mesh, me: formatInstanceToken(signer.did), agent }
    users.push({ name, nkey: nkey.nkey, permissions: listPermissions('instance', place) })
  }
  return formatStaticConfig(users)
}

async function mintCredentials(
  { env }: CliContext,
  dir: string,
  { role, hours }: { readonly role: 'monitor' | 'operator'; readonly hours: number },
): Promise<string> {
  const { nkey, seed } = generateUserNkey(createSystemRandom())
  const expiresAtMs = createSystemClock().now() + hours * hourMs
  return formatNatsCredentials(await mintNatsUserFrom({ dir, ...protectionOf(env) }, { nkey, role, expiresAtMs }), seed)
}

function protectionOf({ passphrase }: CliContext['env']): { readonly passphrase?: string } {
  return passphrase === undefined ? {} : { passphrase }
}
