import type { Command } from 'commander'
import { isOwnerDid, openFileIssuer } from '@parley/identity'
import { MeshError, type AgentName } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { issuerFolder } from '../issuer-folder.ts'
import { parseDuration } from '../duration.ts'
import { parseName } from '../parse-name.ts'

interface DelegateFlags {
  readonly issuer: string
  readonly to: AgentName
  readonly toOwner?: string
  readonly for: number
  readonly json?: boolean
}

/** Adds `parley delegate`. */
export function addDelegateCommand(program: Command, context: CliContext): void {
  program
    .command('delegate <capabilities...>')
    .description('let an agent act for the owner: prints the first link of a chain, for `delegation:` of a call')
    .requiredOption('--issuer <dir>', 'the folder of the owner; its owner.key is read')
    .requiredOption('--to <name>', 'the agent that may, for instance acme/trips', parseName)
    .option('--to-owner <did>', 'the owner of that agent; default the same')
    .requiredOption('--for <duration>', 'for how long, for instance 8h', parseDuration)
    .option('--json', 'print the chain as JSON')
    .action(async (capabilities: readonly string[], flags: DelegateFlags) => {
      const { to, toOwner } = flags
      if (toOwner !== undefined && !isOwnerDid(toOwner))
        throw new MeshError('cli.usage', `--to-owner ${toOwner} is not the DID of an owner`)
      const issuer = await openFileIssuer(issuerFolder(flags.issuer, context))
      const chain = await issuer.delegate({
        to,
        capabilities,
        forMs: flags.for,
        ...(toOwner === undefined ? {} : { toOwner }),
      })
      context.print(flags.json ?? false, chain, { to, owner: issuer.owner, capabilities, chain })
    })
}
