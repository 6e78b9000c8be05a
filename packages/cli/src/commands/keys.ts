import type { Command } from 'commander'
import { createKeySigner, generateSeed, readKeyFile, writeKeyFile } from '@parley/identity'
import { createSystemRandom } from '@parley/ports'
import type { CliContext } from '../cli-context.ts'

/** Adds `parley keys init` and `parley keys show`. */
export function addKeysCommands(program: Command, context: CliContext): void {
  const keys = program.command('keys').description('make key files and see whose they are')
  const { protection } = context
  keys
    .command('init <file>')
    .description('make a key in a new file that only you can read; with PARLEY_PASSPHRASE set it is encrypted')
    .option('--json', 'print the DID as JSON')
    .action(async (file: string, { json = false }: { readonly json?: boolean }) => {
      const seed = generateSeed(createSystemRandom())
      await writeKeyFile(file, seed, protection)
      tell(context, json, file, createKeySigner(seed).did)
    })
  keys
    .command('show <file>')
    .description('prove that a key file can be used, and print its DID; never the key')
    .option('--json', 'print the DID as JSON')
    .action(async (file: string, { json = false }: { readonly json?: boolean }) => {
      tell(context, json, file, createKeySigner(await readKeyFile(file, protection)).did)
    })
}

function tell(context: CliContext, json: boolean, file: string, did: string): void {
  const isEncrypted = context.env.passphrase !== undefined
  const protection = isEncrypted ? 'encrypted under PARLEY_PASSPHRASE' : 'protected by its file mode alone'
  context.print(json, [did], { file, did, isEncrypted })
  context.remark(json, context.paint.dim(`${file} is ${protection}`))
}
