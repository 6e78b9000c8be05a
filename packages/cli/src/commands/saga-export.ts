import type { Command } from 'commander'
import type { AgentName } from '@parley/protocol'
import { exportSaga } from '@parley/saga'
import type { CliContext } from '../cli-context.ts'
import { parseName } from '../parse-name.ts'
import { findSaga } from '../saga-store.ts'
import { withStore } from '../with-store.ts'
import { outText, writeLines, type OutFlags } from '../write-out.ts'

interface ExportFlags extends OutFlags {
  readonly data: string
  readonly of?: AgentName
  readonly bodies: boolean
}

/** Adds `parley saga export`: the file that `parley verify` proves offline. */
export function addSagaExport(saga: Command, context: CliContext): void {
  saga
    .command('export <id>')
    .description('write the journal of a saga with its receipts and credentials, for `parley verify`')
    .requiredOption('--data <file>', 'the store of a stopped node, or a copy')
    .option('--of <name>', 'the agent whose saga is meant, where a store has those of several', parseName)
    .option('--out <file>', outText)
    .option('--no-bodies', 'leave out what was sent and answered: who did what stays as provable')
    .option('--json', 'print what was written as JSON; the export itself always is JSON Lines')
    .action(async (id: string, { data, of, bodies: withBodies, ...flags }: ExportFlags) => {
      const text = await withStore(data, async (store) => {
        const { agent } = await findSaga(store, id, of)
        return exportSaga(store, agent, id, { withBodies })
      })
      await writeLines(context, flags, [text])
    })
}
