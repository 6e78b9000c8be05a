import { describe, expect, it } from 'vitest'
import { documentOf } from '../policy-input.fixture.ts'
import type { PolicyProblem } from '../policy-problem.ts'
import { compilePolicy } from '../policy-set.ts'
import { parsePolicyTable } from './policy-table.ts'
import { runPolicyTable } from './run-policy-table.ts'

const set = compilePolicy([
  {
    file: 'desk.yaml',
    text: documentOf(
      [
        "  - { name: desk, when: \"action == 'flights:reserve' && body.to == 'SFO'\", effect: allow }",
        '  - { name: ask, when: body.amount > 500, effect: require_approval }',
      ].join('\n'),
    ),
  },
])

const table = `apiVersion: parley/v1
policy: [desk.yaml]
cases:
  - name: to San Francisco
    input: { action: flights:reserve, body: { to: SFO, amount: 5 } }
    expect: allow
    rule: test#desk
  - name: dear
    input: { action: flights:reserve, body: { to: SFO, amount: 501 } }
    expect: require_approval
  - name: untrusted
    input: { action: flights:reserve, caller: { tier: untrusted }, body: { to: SFO, amount: 5 } }
    expect: deny
    code: trust.below-threshold
  - name: wrong
    input: { action: flights:reserve, body: { to: LIS, amount: 5 } }
    expect: allow
`

describe('a policy table', () => {
  it('tells which cases hold, and what was said of the others', () => {
    const problems: PolicyProblem[] = []
    const parsed = parsePolicyTable({ file: 'desk.test.yaml', text: table }, problems)
    expect(problems).toEqual([])
    const results = parsed ? runPolicyTable(set, parsed) : []
    expect(results.map(({ passed }) => passed)).toEqual([true, true, true, false])
    expect(results[3]).toEqual({
      name: 'wrong',
      line: 15,
      passed: false,
      expected: 'allow',
      found: 'deny policy.denied by test#default',
    })
  })

  it('refuses what it does not know, at its place', () => {
    const problems: PolicyProblem[] = []
    const text = table
      .replace('expect: allow', 'expects: allow')
      .replace('tier: untrusted', 'tier: low')
      .replace('caller:', 'calls:')
    parsePolicyTable({ file: 't.yaml', text }, problems)
    expect(problems.map(({ line, problem }) => `${String(line)} ${problem}`)).toEqual([
      expect.stringMatching(/^6 unknown key expects/) as string,
      expect.stringMatching(/^4 expect is none of/) as string,
      expect.stringMatching(/^12 unknown key calls/) as string,
    ])
  })

  it('refuses what a part of the input does not have, at its place, but nothing of bodies and constraints', () => {
    const problems: PolicyProblem[] = []
    const text = table
      .replace('tier: untrusted', 'nam: acme/evil')
      .replace(
        'SFO, amount: 501 }',
        'SFO }, hop: 3, delegation: { constraints: { any: 1 }, left: { call: 1 } }, saga: { id: s, stp: pay }',
      )
    parsePolicyTable({ file: 't.yaml', text }, problems)
    expect(problems.map(({ line, column, problem }) => `${String(line)}:${String(column)} ${problem}`)).toEqual([
      `${placeOf(text, 'hop:')} hop is not a map with the keys index, path`,
      `${placeOf(text, 'call:')} unknown key delegation.left.call: there are calls, tokens, amount, currency`,
      `${placeOf(text, 'stp:')} unknown key saga.stp: there are present, id, step, attempt`,
      expect.stringContaining(`${placeOf(text, 'nam:')} unknown key caller.nam: there are name, owner,`) as string,
    ])
  })
})

describe('the values of a table', () => {
  it.each([
    ['tier: untrusted', 'tier: trusty', 'caller.tier is none of untrusted, probationary, standard, trusted, verified'],
    ['tier: untrusted', 'score: 2000', 'caller.score is not 0 to 1000'],
    ['tier: untrusted', 'score: high', 'caller.score is not a whole number'],
    ['tier: untrusted', 'grants: "no"', 'caller.grants is not true or false'],
    ['tier: untrusted', 'name: 7', 'caller.name is not a text'],
    ['rule: test#desk', 'rule: 7', 'rule is not a text, document#rule'],
    ['code: trust.below-threshold', 'code: no.such', 'the code "no.such" is unknown'],
  ])('%s as %s: %s', (from, to, what) => {
    const problems: PolicyProblem[] = []
    parsePolicyTable({ file: 't.yaml', text: table.replace(from, to) }, problems)
    expect(problems.map(({ problem }) => problem)).toEqual([what])
  })
})

/** Line and column of the first place where a text has a word. */
function placeOf(text: string, word: string): string {
  const before = text.slice(0, text.indexOf(word)).split('\n')
  return `${String(before.length)}:${String((before.at(-1)?.length ?? 0) + 1)}`
}
