import type { Command } from 'commander'
import { openOwner, readAnchor, signPolicyRelease } from '@parley/identity'
import { MeshError } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { compilePolicyFiles } from '../compile-policy-files.ts'
import { issuerFolder } from '../issuer-folder.ts'
import { parseWhole } from '../parse-whole.ts'
import { collect } from '../repeatable.ts'

interface SignFlags {
  readonly issuer: string
  readonly number: number
  readonly to?: readonly string[]
  readonly json?: boolean
}

/** Adds `parley policy sign`. */
export function addPolicySignCommand(policy: Command, context: CliContext): void {
  policy
    .command('sign <files...>')
    .description("release documents as one set, with the owner's key, for nodes that have `policySignedBy`")
    .requiredOption('--issuer <dir>', 'the folder of the owner; its owner.key is read')
    .requiredOption('--number <number>', 'higher than that of every release before', parseWhole)
    .option('--to <name>', 'the agents that it is for; default alias/*', collect)
    .option('--json', 'print the release as JSON')
    .action(async (files: readonly string[], flags: SignFlags) => {
      const { policyHash } = await compilePolicyFiles(files)
      const folder = issuerFolder(flags.issuer, context)
      const { owner, alias } = await readAnchor(folder.dir)
      const { number, to: agents = [`${alias}/*`], json = false } = flags
      const other = agents.find((agent) => !agent.startsWith(`${alias}/`))
      if (other !== undefined)
        throw new MeshError(
          'cli.usage',
          `--to ${other} is not a name of ${alias}: a node of another owner loads it never`,
        )
      const issuedAtMs = folder.clock.now()
      const release = await signPolicyRelease(await openOwner(folder), {
        policy: policyHash,
        number,
        agents,
        issuedAtMs,
      })
      const what = `release ${String(number)} of the policy ${policyHash} for ${agents.join(', ')}`
      context.print(json, [release], { policyHash, number, agents, owner, release })
      context.remark(json, context.paint.dim(what))
    })
}
