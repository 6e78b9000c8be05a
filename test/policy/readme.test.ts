import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  compilePolicy,
  explainPolicy,
  lintPolicy,
  makeInput,
  parsePolicyTable,
  runPolicyTable,
  type PolicyProblem,
} from '@parley/policy'
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

  it('says what explain says', () => {
    const set = compilePolicy([{ file: 'desk.yaml', text: document }])
    const [, given = ''] = /--input '(\{.*\})'/.exec(readme) ?? []
    const input = makeInput(JSON.parse(given))
    if (!input) throw new Error('the input of the page is none')
    const { decision, rules } = explainPolicy(set, input)
    expect(readme).toContain(`# deny by ${decision.document}#${decision.rule}`)
    const rule = rules.find(({ rule: name }) => name === 'desk-reserves')
    expect(readme).toContain(`#   ${rule?.result ?? ''} desk#desk-reserves (allow): ${rule?.because ?? ''}`)
  })
})
