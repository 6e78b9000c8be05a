import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '@parley/cli'
import { compilePolicy, lintPolicy, parsePolicyTable, runPolicyTable, type PolicyProblem } from '@parley/policy'
import { describe, expect, it } from 'vitest'

const readme = readFileSync(join(import.meta.dirname, '../../packages/policy/README.md'), 'utf8')
const blocks = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text)
const [document = '', table = ''] = blocks

describe('packages/policy/README.md', () => {
  it('shows a document that loads, lints clean, and holds what its table expects', () => {
    const set = compilePolicy([{ file: 'desk.yaml', text: document }])
    expect(lintPolicy(set)).toEqual([])
    const problems: PolicyProblem[] = []
    const parsed = parsePolicyTable({ file: 'desk.test.yaml', text: table }, problems)
    expect(problems).toEqual([])
    expect(parsed?.policy).toEqual(['desk.yaml'])
    expect(parsed && runPolicyTable(set, parsed).every(({ passed }) => passed)).toBe(true)
  })

  it('shows all that explain prints', async () => {
    const [, given = '', shown = ''] = /explain desk\.yaml --input '(\{.*\})'\n((?:# .*\n)+)/.exec(readme) ?? []
    const folder = mkdtempSync(join(tmpdir(), 'parley-policy-readme-'))
    const file = join(folder, 'desk.yaml')
    writeFileSync(file, document)
    let printed = ''
    const host = {
      env: {},
      isTerminal: false,
      err: () => undefined,
      out: (text: string) => {
        printed += text
      },
    }
    expect(await runCli(['policy', 'explain', file, '--input', given], host)).toBe(0)
    expect(shown.replaceAll(/^# /gm, '')).toBe(printed)
    rmSync(folder, { recursive: true })
  })
})
