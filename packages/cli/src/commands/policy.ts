import type { Command } from 'commander'
import {
  credentialsOnly,
  defaults,
  formatProblem,
  lintPolicy,
  type PolicyProblem,
  type PolicySet,
} from '@parley/policy'
import { isMeshError } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { compilePolicyFiles } from '../compile-policy-files.ts'
import { exitCodes } from '../exit-code.ts'
import { addPolicyCaseCommands } from './policy-cases.ts'
import { addPolicyBuildCommand } from './policy-build.ts'
import { addPolicyExplainCommand } from './policy-explain.ts'
import { addPolicySignCommand } from './policy-sign.ts'

/** Adds `parley policy lint`, `test`, `explain`, `sign`, `shadow`, `build` and `show`. */
export function addPolicyCommands(program: Command, context: CliContext): void {
  const policy = program.command('policy').description('check and show policy documents')
  policy
    .command('lint <files...>')
    .description('compile documents as one set, as a node would, and look for rules that never decide')
    .option('--json', 'print the problems as JSON')
    .action(async (files: readonly string[], { json = false }: { readonly json?: boolean }) => {
      context.end(await lintFiles(context, files, json))
    })
  addPolicyCaseCommands(policy, context)
  addPolicyExplainCommand(policy, context)
  addPolicySignCommand(policy, context)
  addPolicyBuildCommand(policy, context)
  policy
    .command('show')
    .description('print the documents that are built in: parley:credentials-only and parley:defaults')
    .option('--json', 'print them as JSON')
    .action(({ json = false }: { readonly json?: boolean }) => {
      const documents = [credentialsOnly, defaults]
      context.print(
        json,
        documents.map(({ text }) => `---\n${text.trimEnd()}`),
        { documents },
      )
    })
}

async function lintFiles(context: CliContext, files: readonly string[], json: boolean): Promise<number> {
  const checked = await compile(files)
  if ('problems' in checked) {
    const { problems } = checked
    const lines = problems.map(({ file, line, column, problem }) => `${file}:${line}:${column}: ${problem}`)
    context.print(json, lines, { kind: 'invalid', problems })
    return exitCodes.no
  }
  const { documents, policyHash } = checked
  const rules = documents.reduce((sum, document) => sum + document.rules.length, 0)
  const findings = lintPolicy(checked)
  context.print(
    json,
    [
      ...findings.map((finding) => `${formatProblem(finding)} (${finding.kind})`),
      `${context.paint.green('ok')} ${documents.length} documents, ${rules} rules, hash ${policyHash}`,
    ],
    {
      kind: 'ok',
      documents: documents.map(({ name }) => name),
      policyHash,
      findings,
    },
  )
  return findings.some(({ kind }) => kind !== 'overlap') ? exitCodes.no : exitCodes.ok
}

async function compile(files: readonly string[]): Promise<PolicySet | { readonly problems: readonly PolicyProblem[] }> {
  try {
    return await compilePolicyFiles(files)
  } catch (error) {
    if (!isMeshError(error) || error.code !== 'policy.invalid') throw error
    return { problems: (error.details as { readonly problems: readonly PolicyProblem[] }).problems }
  }
}
