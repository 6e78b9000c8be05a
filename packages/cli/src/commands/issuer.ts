import type { Command } from 'commander'
import { initFileIssuer, type Anchor } from '@parley/identity'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import type { CliContext } from '../cli-context.ts'

/** Adds `parley issuer init`. */
export function addIssuerCommands(program: Command, context: CliContext): void {
  program
    .command('issuer')
    .description("make an owner's keys")
    .command('init <dir>')
    .description('make an owner, its issuer and the statement between them in a folder')
    .requiredOption('--alias <name>', 'the first part of every name that it gives, for instance acme')
    .option('--json', 'print the anchor as JSON')
    .action(async (dir: string, { alias, json = false }: { readonly alias: string; readonly json?: boolean }) => {
      const { passphrase } = context.env
      const anchor = await initFileIssuer({
        dir,
        alias,
        clock: createSystemClock(),
        random: createSystemRandom(),
        ...(passphrase === undefined ? {} : { passphrase }),
      })
      context.print(json, describe(dir, anchor, passphrase !== undefined), { dir, anchor })
    })
}

function describe(dir: string, anchor: Anchor, isEncrypted: boolean): readonly string[] {
  return [
    `${anchor.alias} is ${anchor.owner}`,
    `${dir}/owner.key       signs statements and delegations: keep it offline`,
    `${dir}/issuer.key      signs credentials of ${anchor.issues.join(', ')}`,
    `${dir}/statement.jwt   says that the issuer may, for 90 days`,
    `${dir}/anchor.json     give it to whoever shall accept this owner`,
    isEncrypted
      ? 'The keys are encrypted under PARLEY_PASSPHRASE.'
      : 'The keys are protected by their file mode alone; with PARLEY_PASSPHRASE set they are encrypted.',
  ]
}
