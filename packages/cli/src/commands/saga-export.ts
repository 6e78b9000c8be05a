import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { MeshError } from '@parley/protocol'
import { exportSaga } from '@parley/saga'
import type { CliContext } from '../cli-context.ts'
import { describeFileError } from '../describe-file-error.ts'
import { parseAgent } from '../parse-agent.ts'
import { findSaga } from '../saga-store.ts'
import { withStore } from '../with-store.ts'

interface ExportFlags {
  readonly data: string
  readonly agent?: string
  readonly out?: string
  readonly bodies: boolean
  readonly json?: boolean
}

/** Adds `parley saga export`: the file that `parley verify` proves offline. */
export function addSagaExport(saga: Command, context: CliContext): void {
  saga
    .command('export <id>')
    .description('write the journal of a saga with its receipts and credentials, for `parley verify`')
    .requiredOption('--data <file>', 'the store of a stopped node, or a copy')
    .option('--agent <name>', 'the agent whose saga is meant, where a store has those of several')
    .option('--out <file>', 'a new file; default standard output')
    .option('--no-bodies', 'leave out what was sent and answered: who did what stays as provable')
    .option('--json', 'print what was written as JSON; the export itself always is JSON Lines')
    .action(async (id: string, flags: ExportFlags) => {
      const { data, out, bodies: withBodies, json = false } = flags
      const text = await withStore(data, async (store) => {
        const { agent } = await findSaga(store, id, parseAgent(flags.agent))
        return exportSaga(store, agent, id, { withBodies })
      })
      if (out === undefined) {
        context.host.out(text)
        return
      }
      await writeFile(out, text, { flag: 'wx' }).catch((cause: unknown) => {
        throw new MeshError('cli.usage', `${out} cannot be made: ${describeFileError(cause)}; name a new file`, {
          cause,
        })
      })
      const lines = text.split('\n').length - 1
      context.print(json, [`${String(lines)} lines written to ${out}`], { out, lines })
    })
}
