import type { Command } from 'commander'
import { MeshError } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { collect } from '../repeatable.ts'
import { explainHop, formatRule, type ExplainedHop } from '../explain-hop.ts'
import { readHopRecords } from '../hop-records.ts'

/** Adds `parley why`. */
export function addWhyCommand(program: Command, context: CliContext): void {
  program
    .command('why <hop>')
    .description('join what both sides recorded of a hop: which stage, which rule, what would allow it')
    .requiredOption('--data <file>', 'a store of a stopped node, or an export; once for each side', collect)
    .option('--json', 'print the records and what decided as JSON')
    .action(async (hop: string, { data, json = false }: { data: readonly string[]; json?: boolean }) => {
      const explained = explainHop(hop, await readHopRecords(hop, data))
      if (explained.records.length === 0) {
        const where = data.join(', ')
        throw new MeshError(
          'cli.usage',
          `no record of ${hop} in ${where}: give the id or leaf of a hop, and its stores`,
        )
      }
      context.print(json, formatHop(context, explained), explained)
    })
}

function formatHop({ paint }: CliContext, { hop, records, decided }: ExplainedHop): readonly string[] {
  const lines = [paint.bold(`hop ${hop}`)]
  for (const { file, record } of records) {
    const text = (field: string): string => String(record[field] ?? '?')
    const who = record['side'] === 'caller' ? `asked ${text('peer')}` : `was asked by ${text('peer')}`
    const rule = formatRule(record)
    const trust = record['score'] === undefined ? '' : `, trusted ${text('score')} (${text('tier')})`
    lines.push(
      `${text('side')}  ${who} for ${text('capability')}${trust}`,
      `  ${text('outcome')}${record['code'] === undefined ? '' : ` ${text('code')}`} after ${text('durationMs')} ms; record ${text('seq')} of ${file}`,
      ...(record['stage'] === undefined ? [] : [`  refused by the stage ${text('stage')}: ${text('reason')}`]),
      ...(rule === undefined ? [] : [`  rule ${rule}, policy ${text('policy')}`]),
    )
  }
  if (!decided) return [...lines, paint.green('nothing refused it')]
  const { side, stage, code, rule, meaning, todo } = decided
  return [
    ...lines,
    `${paint.red(code)} was decided by the ${side}${stage === undefined ? '' : `, stage ${stage}`}${rule === undefined ? '' : `, rule ${rule}`}: ${meaning}`,
    `what to do: ${todo}`,
  ]
}
