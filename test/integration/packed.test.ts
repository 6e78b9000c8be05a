import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const bin = join(root, 'node_modules/.bin')
/** What npm says where no registry can be reached. */
const unreachable = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENOTCACHED|ENETUNREACH/
const hello = "ok { seat: '12A to SFO for acme/desk' } allowed by parley:credentials-only; signed; recorded twice\n"

let folder: string
let project: string
let installProblem: string | undefined

/** Runs a program with the Node that runs this test first on the path. */
function run(program: string, args: readonly string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}` }
  return promisify(execFile)(program, args, { cwd, env, maxBuffer: 16_777_216 })
}

/** Removes what was built before, since a pack takes everything that lies in `dist`. */
async function cleanBuilds(): Promise<void> {
  for (const name of readdirSync(join(root, 'packages')))
    for (const built of ['dist', 'tsconfig.tsbuildinfo'])
      await rm(join(root, 'packages', name, built), { recursive: true, force: true })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-packed-'))
  project = await mkdtemp(join(tmpdir(), 'parley-consumer-'))
  await cleanBuilds()
  const packages = readdirSync(join(root, 'packages')).filter((name) =>
    existsSync(join(root, 'packages', name, 'package.json')),
  )
  await run(join(bin, 'tsc'), ['-b', ...packages.map((name) => join('packages', name))], root)
  await run('pnpm', ['-r', '--filter', './packages/*', 'pack', '--pack-destination', folder], root)
  await writeFile(join(project, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }')
  const tarballs = (await readdir(folder)).map((name) => join(folder, name))
  const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs, 'zod@4']
  await run('npm', install, project).catch((error: unknown) => {
    const said = (error as { readonly stderr: string }).stderr
    if (!unreachable.test(said)) throw error
    installProblem = said
  })
}, 120_000)
afterAll(async () => {
  for (const path of [folder, project]) await rm(path, { recursive: true, force: true })
})

const installed = (name: string): string => join(project, 'node_modules/@parley', name)

describe('the packages as they are published', () => {
  it('run the first example as ES modules and as CommonJS', async (context) => {
    if (installProblem !== undefined) context.skip('needs a package registry')
    await copyFile(join(root, 'examples/00-hello/main.ts'), join(project, 'main.ts'))
    expect((await run(process.execPath, ['main.ts'], project)).stdout).toBe(hello)
    await writeFile(
      join(project, 'main.cjs'),
      `const { createNode, defineContract, localIssuer } = require('@parley/mesh')
const { z } = require('zod')
async function main() {
  const flights = defineContract('flights', {
    reserve: { input: z.object({ to: z.string() }), output: z.object({ seat: z.string() }), risk: 'reversible' },
  })
  const acme = localIssuer('acme')
  const planes = await createNode({ name: 'acme/planes', issuer: acme, serves: [flights] })
  const desk = await createNode({ name: 'acme/desk', issuer: acme, calls: [flights.reserve] })
  planes.serve(flights, { reserve: async ({ to }, hop) => ({ seat: \`12A to \${to} for \${hop.caller.name}\` }) })
  await Promise.all([planes.start(), desk.start()])
  const outcome = await desk.tryCall(flights.reserve, { to: 'SFO' })
  console.log(outcome.kind, outcome.output, outcome.hop.explain())
  await Promise.all([planes.close(), desk.close()])
}
main()
`,
    )
    expect((await run(process.execPath, ['main.cjs'], project)).stdout).toBe(hello)
  })

  it('can each be required and imported', async (context) => {
    if (installProblem !== undefined) context.skip('needs a package registry')
    const names = JSON.stringify((await readdir(join(project, 'node_modules/@parley'))).sort())
    await writeFile(
      join(project, 'all.cjs'),
      `(async () => {
  for (const name of ${names}) {
    const required = require('@parley/' + name)
    if (Object.keys(await import('@parley/' + name)).some((key) => required[key] === undefined)) throw new Error(name)
  }
  console.log('all')
})()`,
    )
    expect((await run(process.execPath, ['all.cjs'], project)).stdout).toBe('all\n')
  })

  it('bring types that a strict program compiles against', async (context) => {
    if (installProblem !== undefined) context.skip('needs a package registry')
    await copyFile(join(root, 'examples/00-hello/main.ts'), join(project, 'typed.ts'))
    const compilerOptions = {
      strict: true,
      noEmit: true,
      target: 'es2024',
      module: 'nodenext',
      lib: ['es2024', 'esnext.disposable'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      skipLibCheck: true,
    }
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['typed.ts'] }))
    const checked = await run(join(bin, 'tsc'), ['-p', '.'], project).catch((error: unknown) => error)
    expect(checked).toMatchObject({ stdout: '' })
  })

  it('bring the program parley', async (context) => {
    if (installProblem !== undefined) context.skip('needs a package registry')
    const program = join(project, 'node_modules/.bin/parley')
    const { stdout } = await run(program, ['--help'], project)
    expect(stdout).toContain('Usage: parley')
    expect((await run(program, ['policy', 'show'], project)).stdout).toContain('parley:defaults')
    const wrong = await run(program, ['bogus'], project).catch((error: unknown) => error)
    expect(wrong).toMatchObject({ code: 2 })
  })

  it('hold what they need and nothing else', async (context) => {
    if (installProblem !== undefined) context.skip('needs a package registry')
    const problems: string[] = []
    for (const name of await readdir(join(project, 'node_modules/@parley'))) {
      const files = (await readdir(installed(name), { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile() && !entry.parentPath.includes(join(installed(name), 'node_modules')))
        .map((entry) => join(entry.parentPath, entry.name).slice(installed(name).length + 1))
      for (const needed of ['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts'])
        if (!files.includes(needed)) problems.push(`${name}: ${needed} is missing`)
      for (const file of files) {
        if (/\.(?:test|fixture)\.|(?<!\.d)\.ts$|tsbuildinfo/.test(file))
          problems.push(`${name}: ${file} does not belong here`)
        if (!file.endsWith('.js')) continue
        const source = await readFile(join(installed(name), file), 'utf8')
        if (/from '\.[^']*\.ts'|import\('\.[^']*\.ts'\)/.test(source))
          problems.push(`${name}: ${file} imports a .ts file`)
      }
      const manifest = await readFile(join(installed(name), 'package.json'), 'utf8')
      if (/workspace:|\.\/src\//.test(manifest)) problems.push(`${name}: package.json still points into the workspace`)
    }
    expect(problems).toEqual([])
  })
})
