import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import {
  formatProblem,
  parsePolicyTable,
  runPolicyTable,
  type PolicyProblem,
  type PolicySet,
  type TableResult,
} from '@parley/policy'
import { MeshError } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { compilePolicyFiles } from '../compile-policy-files.ts'
import { exitCodes } from '../exit-code.ts'
import { collect } from '../repeatable.ts'
import { readText } from '../read-file.ts'

/** Adds `parley policy test` and `parley policy shadow`. */
export function addPolicyCaseCommands(policy: Command, context: CliContext): void {
  policy
    .command('test <tables...>')
    .description('decide the cases of tables that stand beside their documents')
    .option('--json', 'print every case as JSON')
    .action(async (tables: readonly string[], { json = false }: { readonly json?: boolean }) => {
      context.end(await testTables(context, tables, json))
    })
  policy
    .command('shadow <tables...>')
    .description('decide the cases of tables by other documents, and say where those would decide otherwise')
    .requiredOption('--with <file>', 'a document to try', collect)
    .option('--json', 'print the differences as JSON')
    .action(
      async (tables: readonly string[], options: { readonly with: readonly string[]; readonly json?: boolean }) => {
        await shadowTables(context, tables, await compilePolicyFiles(options.with), options.json ?? false)
      },
    )
}

interface LoadedTable {
  readonly file: string
  readonly set: PolicySet
  readonly table: NonNullable<ReturnType<typeof parsePolicyTable>>
}

async function testTables(context: CliContext, files: readonly string[], json: boolean): Promise<number> {
  const results: (TableResult & { readonly file: string })[] = []
  for (const file of files) {
    const { set, table } = await loadTable(file)
    results.push(...runPolicyTable(set, table).map((result) => ({ file, ...result })))
  }
  const failed = results.filter(({ passed }) => !passed)
  const { paint } = context
  context.print(
    json,
    [
      ...failed.map(
        ({ file, line, name, expected, found }) =>
          `${file}:${line}: ${paint.red('failed')} ${name}: expected ${expected}, found ${found}`,
      ),
      `${String(results.length - failed.length)} passed, ${String(failed.length)} failed`,
    ],
    { results },
  )
  return failed.length === 0 ? exitCodes.ok : exitCodes.no
}

async function shadowTables(
  context: CliContext,
  files: readonly string[],
  other: PolicySet,
  json: boolean,
): Promise<void> {
  const differences: { readonly file: string; readonly name: string; readonly now: string; readonly tried: string }[] =
    []
  let cases = 0
  for (const file of files) {
    const { set, table } = await loadTable(file)
    const then = runPolicyTable(other, table)
    for (const [at, { name, found }] of runPolicyTable(set, table).entries()) {
      cases++
      const said = then[at]?.found ?? ''
      if (verdictOf(said) !== verdictOf(found)) differences.push({ file, name, now: found, tried: said })
    }
  }
  context.print(
    json,
    [
      ...differences.map(({ file, name, now, tried }) => `${file}: ${name}: now ${now}; would be ${tried}`),
      `${String(differences.length)} of ${String(cases)} cases would be decided otherwise`,
    ],
    { differences, cases },
  )
}

function verdictOf(found: string): string {
  return found.split(' ')[0] ?? ''
}

async function loadTable(file: string): Promise<LoadedTable> {
  const problems: PolicyProblem[] = []
  const table = parsePolicyTable({ file, text: await readText(file) }, problems)
  if (!table || problems.length > 0)
    throw new MeshError('policy.invalid', `The table is not read. ${problems.map(formatProblem).join('\n')}`)
  return { file, table, set: await compilePolicyFiles(table.policy.map((path) => join(dirname(file), path))) }
}
