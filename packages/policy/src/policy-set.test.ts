import { isMeshError } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { credentialsOnly, defaults } from './built-in-documents.ts'
import type { PolicyProblem } from './policy-problem.ts'
import { documentOf } from './policy-input.fixture.ts'
import { compilePolicy } from './policy-set.ts'

function problemsOf(...texts: readonly string[]): readonly string[] {
  try {
    compilePolicy(texts.map((text, index) => ({ file: `${String(index)}.yaml`, text })))
  } catch (error) {
    if (!isMeshError(error) || error.code !== 'policy.invalid') throw error
    const problems = error.details['problems'] as readonly PolicyProblem[]
    return problems.map(({ file, line, column, problem }) => `${file}:${String(line)}:${String(column)} ${problem}`)
  }
  return []
}

function conditionProblem(when: string): string {
  return problemsOf(documentOf(`  - { name: r, effect: allow, when: ${JSON.stringify(when)} }`)).join('; ')
}

describe('compilePolicy', () => {
  it('puts the built-in documents first and lets the ring table be left out', () => {
    const user = { file: 'a.yaml', text: documentOf('  []') }
    const names = (set: ReturnType<typeof compilePolicy>): readonly string[] => set.documents.map(({ name }) => name)
    expect(names(compilePolicy([]))).toEqual(['parley:credentials-only', 'parley:defaults'])
    expect(names(compilePolicy([user]))).toEqual(['parley:credentials-only', 'parley:defaults', 'test'])
    expect(names(compilePolicy([user], { defaults: false }))).toEqual(['parley:credentials-only', 'test'])
    expect(names(compilePolicy([defaults], { defaults: false }))).toEqual(names(compilePolicy([])))
  })

  it('hashes the texts of all documents and their order', () => {
    const one = { file: 'a.yaml', text: documentOf('  []', { name: 'one' }) }
    const two = { file: 'b.yaml', text: documentOf('  []', { name: 'two' }) }
    const hash = compilePolicy([one, two]).policyHash
    expect(hash).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(compilePolicy([one, two]).policyHash).toBe(hash)
    expect(compilePolicy([two, one]).policyHash).not.toBe(hash)
    expect(compilePolicy([one, { ...two, text: `${two.text}# changed\n` }]).policyHash).not.toBe(hash)
  })

  it('names a document after its file when it has no name', () => {
    const set = compilePolicy([{ file: 'etc/desk.yaml', text: 'apiVersion: parley/v1\ndefault: deny\nrules: []\n' }])
    expect(set.documents.at(-1)?.name).toBe('desk')
  })

  it('reports every mistake of every document at its line and column, in the order of the text', () => {
    const first = [
      'apiVersion: parley/v2',
      'name: first',
      'rules:',
      '  - name: a',
      "    when: action == 'flights:reserve' &&",
      '      caller.nam == 5',
      '    effect: permit',
      '    color: red',
      '  - name: a',
      '    when: "true"',
      '    effect: allow',
    ].join('\n')
    const second = documentOf(
      ['  - name: b', '    effect: deny', '    code: no.such', '    when: >-', '      true &&', '      foo'].join('\n'),
    )
    expect(problemsOf(first, second)).toEqual([
      '0.yaml:1:1 default is neither allow nor deny: say what holds when no rule decides',
      '0.yaml:1:13 apiVersion is not parley/v1',
      expect.stringMatching(/^0.yaml:6:\d+ unknown field nam: the record has name, owner/),
      "0.yaml:7:13 the effect 'permit' is unknown: there are allow, deny, require_approval, transform, warn, log",
      expect.stringMatching(/^0\.yaml:8:5 unknown key color: there are name, description, when, effect, /) as string,
      '0.yaml:9:11 a second rule is named a',
      "1.yaml:7:11 the code 'no.such' is unknown",
      '1.yaml:10:7 the condition does not type-check: Unknown variable: foo',
    ])
  })

  it('lists the position in the message', () => {
    expect(() => compilePolicy([{ file: 'x.yaml', text: '[]' }])).toThrow(/^The policy is not loaded\. x\.yaml:1:1: /)
  })

  it.each([
    ['a rule without a name', '  - { when: "true", effect: allow }', 'the rule has no name'],
    ['a rule without a condition', '  - { name: r, effect: allow }', 'the rule has no when'],
    ['a rule named default', '  - { name: default, when: "true", effect: allow }', 'is reserved'],
    ['a code at an allow rule', '  - { name: r, when: "true", effect: allow, code: policy.denied }', 'code stands at'],
    ['approvers at a deny rule', '  - { name: r, when: "true", effect: deny, approvers: [a/b] }', 'approvers stands'],
    ['an approver that is no name', '  - { name: r, when: "true", effect: require_approval, approvers: [x] }', "'x'"],
    ['a number as effect', '  - { name: r, when: "true", effect: 5 }', 'effect is not a text'],
    ['a rule that is a text', '  - hello', 'the rule is not a map'],
    ['an alias', '  - &a { name: r, when: "true", effect: allow }\n  - *a', 'the alias *a is refused'],
    ['a tag', '  - !rule { name: r, when: "true", effect: allow }', 'Unresolved tag'],
    ['a duplicate key', '  - { name: r, name: s, when: "true", effect: allow }', 'Map keys must be unique'],
    ['deep nesting', `  - ${'['.repeat(5000)}`, 'nested too deeply'],
  ])('refuses %s', (_title, rules, problem) => {
    expect(problemsOf(documentOf(rules)).join('\n')).toContain(problem)
  })

  it('refuses what is no document, two documents in a file, and a document that is too large', () => {
    expect(problemsOf('').join()).toContain('not a map')
    expect(problemsOf('- a').join()).toContain('not a map')
    expect(problemsOf(`${documentOf('  []')}---\n${documentOf('  []')}`).join()).toContain('multiple documents')
    expect(problemsOf(`#${'x'.repeat(4 * 1024 * 1024)}`).join()).toContain('larger than')
    expect(problemsOf('apiVersion: parley/v1\ndefault: deny').join()).toContain('rules is missing')
  })

  it('refuses two documents of one name and a name of the built-in ones', () => {
    expect(problemsOf(documentOf('  []'), documentOf('  []')).join()).toContain('another document of the set is named')
    const fake = documentOf('  []', { name: 'parley:mine' })
    expect(problemsOf(fake).join()).toContain('belongs to a built-in document')
    expect(() => compilePolicy([credentialsOnly])).toThrow(/another document/)
  })

  it.each([
    ['action ==', 'does not parse'],
    ['action', 'of type string, not bool'],
    ['body.flag', 'compare it, for instance with == true'],
    ['action == 5', 'does not type-check'],
    ['foo == 1', 'Unknown variable: foo'],
    ['caller.nam == "x"', 'unknown field nam'],
    ['has(caller.nam)', 'unknown field nam'],
    ['caller["name"] == "x"', 'caller is a record'],
    ['[caller].exists(c, has(c.nam))', 'caller is a record'],
    ['caller.name.matches("(?=a)")', 'not one of RE2'],
    ['matches(body.text, "a")', 'matches is written'],
    ['cel.bind(x, action, x == "a:b")', 'unknown function bind'],
    ['timestamp("2026-01-01T00:00:00Z") == timestamp(body.at)', 'unknown function timestamp'],
    ['body.a.exists(x, body.b.all(y, x == y))', 'stands in another loop'],
    ['body.a.exists(x, body.t.contains("z"))', 'reads the body in a loop'],
    ['body.a.exists(x, body.t.lowerAscii() == x)', 'reads the body in a loop'],
    ['body.a.exists(x, string(body.t) == "z")', 'reads the body in a loop'],
    ['body.a.filter(x, (body.t + x).contains("z")) != []', 'reads the body in a loop'],
    ['body.a.contains(body.b)', 'contains takes a text in quotes'],
    ['labels.exists(action, action == "x:y")', 'give the loop variable another name'],
    ['action == "flights"', "'flights' is not a capability"],
    ['action in ["flights:reserve", "pay"]', "'pay' is not a capability"],
    ['peer.tier == "standrad"', 'none of untrusted, probationary'],
    ['!(caller.kind in ["person"])', 'none of agent, human'],
    ['phase != "redo"', 'none of do, undo, lookup, close'],
    ['false', 'always false'],
    [`${'('.repeat(500)}true${')'.repeat(500)}`, 'does not parse'],
    [Array.from({ length: 2000 }, () => 'true').join(' && '), 'does not parse'],
  ])('refuses the condition %.60s', (when, problem) => {
    expect(conditionProblem(when)).toContain(problem)
  })

  it.each([
    'true',
    'has(body.amount) && body.amount <= 500',
    'labels.exists(label, label == "pii")',
    'body.items.exists(item, item.text.lowerAscii().contains("x"))',
    'body.items.all(item, item.price < 10.5) && size(body.items) < 10',
    'caller.name.startsWith("acme/") || onBehalfOf == "acme/boss"',
    'time.hour >= 8 && time.weekday in [1, 2, 3, 4, 5]',
    'saga.present && saga.attempt > 3 ? risk == "read" : hop.index < 4',
  ])('accepts the condition %s', (when) => {
    expect(conditionProblem(when)).toBe('')
  })
})
