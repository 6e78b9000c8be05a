import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import {
  compilePolicy,
  explainPolicy,
  formatProblem,
  makeInput,
  parsePolicyTable,
  runPolicyTable,
  type PolicyExplanation,
  type PolicyInput,
  type PolicyProblem,
  type PolicySet,
  type TableResult,
} from '@parley/policy'
import { MeshError } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { exitCodes } from '../exit-code.ts'
import { readPolicyFiles } from '../read-policy-files.ts'
import { readText } from '../read-text.ts'

/** Adds `parley policy test`, `parley policy explain` and `parley policy shadow`. */
export function addPolicyCaseCommands(policy: Command, context: CliContext): void {
  policy
    .command('test <tables...>')
    .description('decide the cases of tables that stand beside their documents')
    .option('--json', 'print every case as JSON')
    .action(async (tables: readonly string[], { json = false }: { readonly json?: boolean }) => {
      context.end(await testTables(context, tables, json))
    })
  policy
    .command('explain <files...>')
    .description('say of each rule whether it matched a hop, and which clause was false first')
    .requiredOption('--input <json>', 'the hop, as in a test table; @file reads it from a file')
    .option('--json', 'print the decision and every rule as JSON')
    .action(async (files: readonly string[], options: { readonly input: string; readonly json?: boolean }) => {
      const explained = explainPolicy(await load(files), await readInput(options.input))
      context.print(options.json ?? false, formatExplanation(context, explained), explained)
    })
  policy
    .command('shadow <tables...>')
    .description('decide the cases of tables by other documents, and say where those would decide otherwise')
    .requiredOption('--with <files...>', 'the documents to try')
    .option('--json', 'print the differences as JSON')
    .action(
      async (tables: readonly string[], options: { readonly with: readonly string[]; readonly json?: boolean }) => {
        await shadowTables(context, tables, await load(options.with), options.json ?? false)
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
  return { file, table, set: await load(table.policy.map((path) => join(dirname(file), path))) }
}

async function load(files: readonly string[]): Promise<PolicySet> {
  const { parts, forms } = await readPolicyFiles(files)
  return compilePolicy(parts, { forms })
}

async function readInput(given: string): Promise<PolicyInput> {
  const text = given.startsWith('@') ? await readFile(given.slice(1), 'utf8') : given
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new MeshError('cli.usage', '--input is not JSON', { cause })
  }
  const input = makeInput(value)
  if (!input) throw new MeshError('cli.usage', '--input is not an object with at least an action')
  return input
}

function formatExplanation({ paint }: CliContext, { decision, rules }: PolicyExplanation): readonly string[] {
  const { kind, document, rule } = decision
  const code = decision.kind === 'deny' ? ` ${decision.code}: ${decision.reason}` : ''
  return [
    `${kind === 'allow' ? paint.green(kind) : paint.red(kind)} by ${document}#${rule}${code}`,
    ...rules.map((each) => {
      const why = each.because === undefined ? '' : `: ${each.because}`
      return `  ${each.result.padEnd(11)} ${each.document}#${each.rule} (${each.effect})${why}`
    }),
  ]
}
