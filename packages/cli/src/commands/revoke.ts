import type { Command } from 'commander'
import { appendOrder } from '@parley/identity'
import type { CliContext } from '../cli-context.ts'
import { issuerFolder } from '../issuer-folder.ts'
import { handOnHint } from '../hand-on-hint.ts'
import { assertSubject } from '../assert-subject.ts'

/** Adds `parley revoke`. */
export function addRevokeCommand(program: Command, context: CliContext): void {
  program
    .command('revoke <subject>')
    .description("sign the owner's order that takes back a credential, a link, a join token, an instance or a name")
    .requiredOption('--issuer <dir>', 'the folder of the owner; its owner.key is read, the order is kept in orders/')
    .option('--kill', 'the subject is a name, and no instance of it shall ever act again')
    .option('--json', 'print the order as JSON')
    .action(
      async (
        subject: string,
        {
          issuer,
          kill = false,
          json = false,
        }: { readonly issuer: string; readonly kill?: boolean; readonly json?: boolean },
      ) => {
        const kind = kill ? 'kill' : 'revoke'
        assertSubject(kind, subject)
        const { sequence, order } = await appendOrder(issuerFolder(issuer, context), kind, subject)
        context.print(json, [order], { sequence, kind, subject, order })
        const told = `order ${String(sequence)}: ${kind} ${subject}; ${handOnHint(issuer)}`
        context.remark(json, context.paint.dim(told))
      },
    )
}
