import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { CliContext } from './cli-context.ts'
import { nameCommandErrors } from './command-line-error.ts'
import { addApproveCommands } from './commands/approve.ts'
import { addDeadLetterCommands } from './commands/dead-letters.ts'
import { addAuditCommands } from './commands/audit.ts'
import { addCallCommand } from './commands/call.ts'
import { addCredentialCommands } from './commands/credential.ts'
import { addDelegateCommand } from './commands/delegate.ts'
import { addDemoCommand } from './commands/demo.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addIssuerCommands } from './commands/issuer.ts'
import { addKeysCommands } from './commands/keys.ts'
import { addNatsConfigCommands } from './commands/nats-config.ts'
import { addPolicyCommands } from './commands/policy.ts'
import { addRevokeCommand } from './commands/revoke.ts'
import { addSagaCommands } from './commands/saga.ts'
import { addStoreCommands } from './commands/store.ts'
import { addTimedOrderCommands } from './commands/timed-order.ts'
import { addTrustCommands } from './commands/trust.ts'
import { addVerifyCommand } from './commands/verify.ts'
import { addWhyCommand } from './commands/why.ts'
import { describeOption } from './describe-option.ts'
import { refuseTwice } from './repeatable.ts'

const afterHelp = `
Exit codes: 0 ok, 1 a decided no or a check that did not hold, 2 usage, 3 failure or nobody knows.
Every command takes --json: one object on standard output.
Environment: NATS_URL, NATS_SERVER, PARLEY_PASSPHRASE, NO_COLOR.`

/** Creates the program with all its commands. */
export async function createProgram(context: CliContext): Promise<Command> {
  const { host } = context
  const program = new Command('parley')
    .description('A trust mesh for AI agents: signed hops, earned trust, policy at every hop, sagas that unwind.')
    .version(await readVersion())
    .option('--debug', 'print the stack of an unexpected error')
    .addHelpText('after', afterHelp)
    .configureHelp({ optionDescription: describeOption })
    .configureOutput({
      writeOut: (text) => {
        host.out(text)
      },
      writeErr: (text) => {
        host.err(text)
      },
      // What commander complains of is told as any other failure is.
      outputError: () => undefined,
      getOutHasColors: () => host.isTerminal && !context.env.noColour,
      getErrHasColors: () => false,
    })
  addDemoCommand(program, context)
  addDoctorCommand(program, context)
  addCallCommand(program, context)
  addWhyCommand(program, context)
  addVerifyCommand(program, context)
  addAuditCommands(program, context)
  addSagaCommands(program, context)
  addPolicyCommands(program, context)
  addApproveCommands(program, context)
  addDeadLetterCommands(program, context)
  addTrustCommands(program, context)
  addIssuerCommands(program, context)
  addKeysCommands(program, context)
  addCredentialCommands(program, context)
  addDelegateCommand(program, context)
  addRevokeCommand(program, context)
  addTimedOrderCommands(program, context)
  addNatsConfigCommands(program, context)
  addStoreCommands(program, context)
  nameCommandErrors(program)
  refuseTwice(program)
  return program
}

async function readVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
  return (manifest as { readonly version: string }).version
}
