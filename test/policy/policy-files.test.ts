import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { runCaptured, type CliRun } from '../integration/captured-cli.ts'

const documents = join(import.meta.dirname, 'documents')
const languages = join(import.meta.dirname, 'languages')
const folder = mkdtempSync(join(tmpdir(), 'parley-policy-'))

function write(name: string, text: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

async function lint(...files: readonly string[]): Promise<CliRun> {
  return await runCaptured(['policy', 'lint', ...files])
}

describe('parley policy lint', () => {
  it('loads every language and form as one set', async () => {
    const run = await runCaptured([
      'policy',
      'lint',
      '--json',
      join(documents, 'production.yaml'),
      join(documents, 'child.yaml'),
      join(documents, 'manifest.yaml'),
      join(languages, 'region-pinning.yaml'),
      join(languages, 'capability-scoping.cedar'),
      join(languages, 'email-redaction.tar.gz'),
    ])
    expect(run).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(run.out)).toMatchObject({
      documents: [
        'parley:credentials-only',
        'parley:defaults',
        'production-policy',
        'child',
        'research',
        'region-pinning',
        'capability-scoping',
        'email-redaction',
      ],
    })
  })

  it.each([
    [
      'a toolkit document',
      'a.yaml',
      'apiVersion: governance.toolkit/v1\nname: a\nstages: []\n',
      'a.yaml:3:1: unknown key stages',
    ],
    [
      'a manifest',
      'b.yaml',
      'agent:\n  id: a\n  manifest:\n    tools:\n      - nam: b\n',
      'b.yaml:5:9: unknown key nam',
    ],
    ['Cedar', 'c.cedar', 'permit (principal, action, resource) when { x };\n', 'c.cedar:1:45: '],
    ['a bundle', 'd.tar.gz', 'not a bundle', 'd.tar.gz:1:1: the bundle holds 0 modules'],
  ])('names file, line and column in %s', async (_what, name, text, problem) => {
    const { code, out } = await lint(write(name, text))
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining(problem) })
  })

  it.each([
    ['Rego, and says how it is compiled', () => write('x.rego', 'package x\n'), 'parley policy build --opa PATH'],
    ['a file of 20 MB', () => write('large.yaml', new Uint8Array(20 * 1024 * 1024)), 'larger than 16777216 bytes'],
    ['what is not text', () => write('binary.yaml', new Uint8Array([0xff, 0xfe, 0])), 'is not UTF-8 text'],
    ['what is not there', () => join(folder, 'none.cedar'), 'it does not exist'],
  ])('refuses %s', async (_what, file, problem) => {
    const run = await lint(file())
    expect(run.code).toBe(2)
    expect(run.err).toContain(problem)
  })

  it('reads no parent from outside of the folder, not through a link either', async () => {
    const child = 'apiVersion: governance.toolkit/v1\nname: child\nextends: parent.yaml\n'
    mkdirSync(join(folder, 'inner'), { recursive: true })
    write('secret.yaml', 'apiVersion: governance.toolkit/v1\nname: secret\n')
    const file = write('inner/child.yaml', child)
    symlinkSync('../secret.yaml', join(folder, 'inner', 'parent.yaml'))
    const { code, out } = await lint(file)
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining('parent.yaml was not found') })
  })
})

describe('parley policy build', () => {
  let opa = ''

  beforeAll(() => {
    // Stands for opa: takes its flags, and gives a bundle that it made before.
    opa = write(
      'opa',
      `#!${process.execPath}
const flags = process.argv.slice(2)
const expected = ['build', '-t', 'wasm', '-e', 'regions', '-o']
if (expected.some((flag, at) => flags[at] !== flag)) throw new Error(flags.join(' '))
if (require('node:fs').readFileSync(flags.at(-1), 'utf8').includes('wrong')) {
  console.log('1 error occurred: x.rego:1: rego_parse_error')
  process.exit(1)
}
require('node:fs').copyFileSync(${JSON.stringify(join(languages, 'region-pinning.tar.gz'))}, flags[6])
`,
    )
    chmodSync(opa, 0o755)
    copyFileSync(join(languages, 'region-pinning.rego'), join(folder, 'regions.rego'))
  })

  it('compiles with the opa that it is given, and says the hash of the bundle', async () => {
    const run = await runCaptured([
      'policy',
      'build',
      '--opa',
      opa,
      '-e',
      'regions',
      join(folder, 'regions.rego'),
      '--json',
    ])
    expect(run).toMatchObject({ code: 0, err: '' })
    const sum = readFileSync(join(languages, 'SHA256SUMS'), 'utf8')
      .split('\n')
      .find((line) => line.includes('region-pinning'))
    expect(JSON.parse(run.out)).toMatchObject({ entrypoint: 'regions', sha256: sum?.slice(0, 64) })
    expect(await lint(join(folder, 'regions.tar.gz'))).toMatchObject({ code: 0 })
  })

  it.each([
    ['Rego that does not compile', () => [opa, 'regions', write('x.rego', 'wrong')], 'rego_parse_error'],
    [
      'an opa that is not there',
      () => [join(folder, 'none'), 'regions', join(folder, 'regions.rego')],
      'it does not exist',
    ],
    ['a file that is no Rego', () => [opa, 'regions', join(documents, 'child.yaml')], 'is neither .rego nor data'],
    ['an entrypoint that could be a flag', () => [opa, '--help', join(folder, 'regions.rego')], 'is not a package'],
  ])('refuses %s, and leaves no bundle', async (_what, given, problem) => {
    const [program = '', entrypoint = '', file = ''] = given()
    const out = join(folder, 'none.tar.gz')
    const run = await runCaptured(['policy', 'build', '--opa', program, `--entrypoint=${entrypoint}`, '-o', out, file])
    expect(run.code).toBe(2)
    expect(run.err).toContain(problem)
    expect(existsSync(out)).toBe(false)
  })
})
