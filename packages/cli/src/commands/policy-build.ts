import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Command } from 'commander'
import { formatProblem, type PolicyProblem } from '@parley/policy'
import { MeshError } from '@parley/protocol'
import type { CliContext } from '../cli-context.ts'
import { describeFileError } from '../describe-file-error.ts'
import { exitCodes } from '../exit-code.ts'
import { isStandardOutput } from '../write-out.ts'

interface BuildFlags {
  readonly opa: string
  readonly entrypoint: string
  readonly out?: string
  readonly json?: boolean
}

const maxOutput = 1024 * 1024
const buildTimeoutMs = 60_000

/** Adds `parley policy build`: the only thing that compiles Rego. */
export function addPolicyBuildCommand(policy: Command, context: CliContext): void {
  policy
    .command('build <files...>')
    .description('compile Rego into a bundle that a node loads, with your opa')
    .requiredOption('--opa <path>', 'the opa program to run')
    .requiredOption('-e, --entrypoint <package>', 'the package that decides, with / between its parts')
    .option('-o, --out <file>', 'the bundle, made anew; - is standard output; default the first file with .tar.gz')
    .option('--json', 'print name and hash as JSON')
    .action(async (files: readonly string[], flags: BuildFlags) => {
      context.end(await buildBundle(context, files, flags))
    })
}

async function buildBundle(context: CliContext, files: readonly string[], flags: BuildFlags): Promise<number> {
  const { opa, entrypoint, json = false } = flags
  const [first = ''] = files
  const wrong = files.find((file) => !file.endsWith('.rego') && !file.endsWith('.json'))
  if (wrong !== undefined) throw new MeshError('cli.usage', `${wrong} is neither .rego nor data (.json)`)
  if (!/^[A-Za-z_]\w*(?:\/\w+)*$/.test(entrypoint)) {
    throw new MeshError('cli.usage', `the entrypoint ${entrypoint} is not a package such as acme/regions`)
  }
  const out = flags.out ?? `${first.replace(/\.\w+$/, '')}.tar.gz`
  const bytes = await compile(opa, ['build', '-t', 'wasm', '-e', entrypoint], files)
  const { loadRego } = await import('@parley/policy-rego')
  const problems: PolicyProblem[] = []
  const engine = loadRego({ file: out, bytes }, problems, { entrypoint })
  if (engine === undefined) {
    context.print(json, problems.map(formatProblem), { kind: 'invalid', problems })
    return exitCodes.no
  }
  if (isStandardOutput(out)) {
    context.host.out(bytes)
    return exitCodes.ok
  }
  try {
    await writeFile(out, bytes)
  } catch (cause) {
    throw new MeshError('cli.usage', `${out} cannot be written: ${describeFileError(cause)}`, { cause })
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const line = `${context.paint.green('ok')} ${out} decides by ${entrypoint}, SHA-256 ${sha256}`
  context.print(json, [line], { kind: 'ok', file: out, name: engine.name, entrypoint, sha256 })
  return exitCodes.ok
}

/** Lets opa write into a folder of its own, so that a build that fails leaves no half of a bundle where a node looks. */
async function compile(opa: string, flags: readonly string[], files: readonly string[]): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-build-'))
  try {
    const made = join(folder, 'bundle.tar.gz')
    await run(opa, [...flags, '-o', made, '--', ...files])
    return await readFile(made)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function run(program: string, flags: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, flags, { maxBuffer: maxOutput, timeout: buildTimeoutMs }, (error, out, err) => {
      if (error === null) {
        resolve()
        return
      }
      // opa tells what is wrong with a file on standard output.
      const complaint = `${out}${err}`.trim()
      const why = complaint === '' ? describeFileError(error) : complaint
      reject(new MeshError('cli.usage', `${basename(program)} did not compile it: ${why}`, { cause: error }))
    })
  })
}
