import { formatProblem, type PolicyProblem, type PolicySource } from '@parley/policy'
import { createToolkitForm, manifestForm, type ToolkitFormOptions } from '@parley/policy-agt'
import { describe, expect, it } from 'vitest'
import { hopOf, type HopChanges } from '../../packages/policy/src/policy-input.fixture.ts'
import { loadDocument } from './ask-us.ts'

const head = 'apiVersion: governance.toolkit/v1\nname: test\n'

function load(text: string, options: ToolkitFormOptions = {}): readonly string[] {
  const problems: PolicyProblem[] = []
  const engine = createToolkitForm(options).compile({ file: 'test.yaml', text }, problems)
  expect(engine === undefined).toBe(problems.length > 0)
  return problems.map(formatProblem)
}

function ruleOf(lines: string): string {
  return `${head}rules:\n  - name: one\n    condition: "action.type == 'drop'"\n    ${lines}\n`
}

function conditionOf(condition: string): string {
  return `${head}rules:\n  - name: one\n    action: deny\n    condition: ${condition}\n`
}

function decide(text: string, hop: HopChanges, options: ToolkitFormOptions = {}): unknown {
  const problems: PolicyProblem[] = []
  const engine = createToolkitForm(options).compile({ file: 'test.yaml', text }, problems)
  expect(problems).toEqual([])
  return engine?.decide(hopOf(hop))
}

describe('createToolkitForm', () => {
  it('accepts documents by their apiVersion, and no others', () => {
    const form = createToolkitForm()
    expect(form.accepts({ file: 'x', text: head })).toBe(true)
    expect(form.accepts({ file: 'x', text: '{"apiVersion": "governance.toolkit/v1"}' })).toBe(true)
    expect(form.accepts({ file: 'x', text: '"apiVersion": "governance.toolkit/v1"' })).toBe(true)
    expect(form.accepts({ file: 'x', text: 'apiVersion: parley/v1\n# apiVersion: governance.toolkit/v1' })).toBe(false)
  })

  it.each([
    ['an unknown key', `${head}rulez: []\n`, 'test.yaml:3:1: unknown key rulez'],
    ['an unknown key of a rule', ruleOf('action: deny\n    when: x'), 'test.yaml:7:5: unknown key when'],
    ['a later version', head.replace('v1', 'v2'), 'test.yaml:1:13: apiVersion is not governance.toolkit/v1'],
    ['an unknown action', ruleOf('action: block'), "test.yaml:6:13: the action 'block' is none of"],
    ['no action', ruleOf('description: x'), 'test.yaml:4:5: the rule has no action'],
    ['two actions', ruleOf('action: deny\n    effect: allow'), 'test.yaml:7:13: action, ruleAction and effect'],
    [
      'a stage after the call',
      ruleOf('action: deny\n    stage: post_tool'),
      'test.yaml:7:12: the stage post_tool is refused',
    ],
    ['an unknown stage', ruleOf('action: deny\n    stage: later'), 'test.yaml:7:12: the stage later is refused'],
    [
      'a limit of another form',
      ruleOf('action: allow\n    limit: 10 per minute'),
      "test.yaml:7:12: the limit '10 per minute'",
    ],
    ['an unknown period', ruleOf('action: allow\n    limit: 10/week'), "test.yaml:7:12: the limit '10/week'"],
    ['a limit of none', ruleOf('action: allow\n    limit: 0/minute'), 'test.yaml:7:12: a limit of 0'],
    [
      'a limit of what is denied',
      ruleOf('action: deny\n    limit: 10/minute'),
      'test.yaml:7:12: limit stands at a rule that denies',
    ],
    ['an unknown scope', `${head}scope: planet\n`, "test.yaml:3:8: scope is 'planet'"],
    ['an unknown default', `${head}default_action: maybe\n`, "test.yaml:3:17: default_action is 'maybe'"],
    [
      'a priority that is no number',
      ruleOf('action: deny\n    priority: high'),
      'test.yaml:7:15: priority is not a number',
    ],
    [
      'approvers that ask for nothing',
      ruleOf('action: deny\n    approvers: [boss]'),
      'test.yaml:7:17: approvers stands at',
    ],
    [
      'an approver by mail',
      ruleOf('action: require_approval\n    approvers: [a@b.example]'),
      "test.yaml:7:17: the approver 'a@b.example'",
    ],
    ['surfaces', ruleOf('action: deny\n    surfaces: [ide]'), 'test.yaml:7:5: surfaces is refused'],
    ['conditions as a map', ruleOf('action: deny\n    conditions: {a: b}'), 'test.yaml:7:5: conditions is refused'],
    [
      'an agent that cannot be',
      `${head}agents: ["did:agentmesh:7"]\n`,
      "test.yaml:3:10: 'did:agentmesh:7' can mean no agent",
    ],
    [
      'a fact that only a host knows',
      conditionOf(`"user.role == 'admin'"`),
      'test.yaml:6:17: user.role is a fact of the host',
    ],
    ['a facet', conditionOf(`"a and sql.verb == 'DROP'"`), 'test.yaml:6:23: sql.verb is a fact of the host'],
    [
      'a word that no capability has',
      conditionOf(`"action.type in ['drop', 'DROP TABLE']"`),
      "test.yaml:6:41: 'DROP TABLE' can mean no capability",
    ],
    ['an ordered action', conditionOf(`"action.type > 'x'"`), 'test.yaml:6:17: action.type is a text'],
    ['an action that is always there', conditionOf(`"action.type"`), 'test.yaml:6:17: action.type is always there'],
    [
      'a score of another scale',
      conditionOf(`"agent.trust_score < 0.5"`),
      'test.yaml:6:37: a score is a whole number from 0 to 1000',
    ],
    ['an unknown tier', conditionOf(`"agent.tier == 'gold'"`), "test.yaml:6:31: 'gold' is none of"],
    ['a text that is above', conditionOf(`"amount > '5'"`), 'test.yaml:6:26: > compares numbers'],
    [
      'a regular expression',
      conditionOf(`"input_text matches '(a+)+$'"`),
      'test.yaml:6:28: the condition does not parse: the operator matches is refused',
    ],
    ['a rule without a name', `${head}rules:\n  - action: deny\n`, 'test.yaml:4:5: the rule has no name'],
    [
      'two rules of one name',
      `${head}rules:\n  - {name: a, action: deny}\n  - {name: a, action: deny}\n`,
      'test.yaml:5:5: a rule a stands before in this document',
    ],
    ['a document without a name', 'apiVersion: governance.toolkit/v1\n', 'test.yaml:1:1: the document has no name'],
    ['an empty value', `${head}rules:\n`, 'test.yaml:3:7: rules is not a list of maps'],
  ])('refuses %s at its position', (_what, text, problem) => {
    const problems = load(text)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(problem)
  })

  it('gives the position inside of a condition that is folded over lines', () => {
    const text = `${head}rules:\n  - name: one\n    action: deny\n    condition: >-\n      amount > 5 and\n      user.role == 'x'\n`
    expect(load(text)[0]).toContain('test.yaml:8:7: user.role')
  })

  it('names all mistakes, not the first', () => {
    expect(load(`${head}scope: x\nrules:\n  - name: a\n    action: y\n    limit: z\n`)).toHaveLength(3)
  })

  it('asks for the approval of a team of the owner whose node decides', () => {
    const hop = { action: 'mail:send_email', callee: { name: 'acme/mail' }, caller: { name: 'sky/desk' } } as const
    const engine = loadDocument('production.yaml')
    expect(engine.decide(hopOf(hop))).toMatchObject({
      kind: 'require_approval',
      demand: { approvers: ['acme/security-team'] },
    })
    expect(engine.decide(hopOf({ ...hop, direction: 'outbound' }))).toMatchObject({
      demand: { approvers: ['sky/security-team'] },
    })
  })

  it('hands its limits on, of the rule that decided and of advice that held', () => {
    const search = { action: 'web:search' } as const
    expect(loadDocument('limits.yaml').decide(hopOf(search))).toMatchObject({
      kind: 'allow',
      limits: [{ rule: 'searches', max: 10, perMs: 60_000, take: 1 }],
    })
    expect(loadDocument('limits.yaml').decide(hopOf({ action: 'mail:send_email' }))).toMatchObject({
      kind: 'require_approval',
      limits: [{ rule: 'mails', max: 2, perMs: 3_600_000, take: 1 }],
    })
    const watched = `${head}default_action: allow\nrules:\n  - {name: w, action: warn, limit: 5/second}\n`
    expect(decide(watched, {})).toMatchObject({
      kind: 'allow',
      advice: [{ rule: 'w' }],
      limits: [{ rule: 'w', max: 5, perMs: 1000 }],
    })
  })

  it('denies by a code, and without a value of the input, what cannot be compared', () => {
    const text = `${head}default_action: allow\nrules:\n  - {name: r, action: deny, condition: "secret == 'x'"}\n`
    const verdict = decide(text, { body: () => ({ secret: ['hunter2'] }) })
    expect(verdict).toMatchObject({ kind: 'deny', code: 'policy.evaluation-failed', rule: 'r' })
    expect(JSON.stringify(verdict)).not.toContain('hunter2')
  })

  it('denies what reads a body that cannot be read', () => {
    const text = `${head}default_action: allow\nrules:\n  - {name: r, action: deny, condition: "amount > 5"}\n`
    const body = (): never => {
      throw new SyntaxError('not JSON')
    }
    expect(decide(text, { body })).toMatchObject({ kind: 'deny', code: 'policy.evaluation-failed' })
  })

  it('does not read the body where no condition does', () => {
    const body = (): never => {
      throw new Error('read')
    }
    expect(loadDocument('production.yaml').decide(hopOf({ action: 'db:drop', body }))).toMatchObject({
      code: 'policy.denied',
    })
  })

  it.each([
    ['priority_first_match', 'allow'],
    ['deny_overrides', 'deny'],
    ['allow_overrides', 'allow'],
  ] as const)('settles rules that disagree by %s', (conflicts, kind) => {
    const text = `${head}rules:\n  - {name: a, action: deny, priority: 1}\n  - {name: b, action: allow, priority: 2}\n`
    expect(decide(text, {}, { conflicts })).toMatchObject({ kind })
  })

  it('reads a document of 1,000 rules as a scan of them would', () => {
    const lines = Array.from(
      { length: 1_000 },
      (_, at) => `  - {name: r${String(at)}, action: deny, condition: "action.type == 'a${String(at)}'"}`,
    )
    const text = `${head}default_action: allow\nrules:\n${lines.join('\n')}\n`
    expect(decide(text, { action: 'x:a999' })).toMatchObject({ kind: 'deny', rule: 'r999' })
    expect(decide(text, { action: 'x:a1000' })).toMatchObject({ kind: 'allow', rule: 'default' })
  })

  it('explains each rule, and names the clause that did not hold', () => {
    const engine = loadDocument('joined.yaml')
    const said = engine.explain?.(hopOf({ action: 'bank:transfer', body: () => ({ amount: 3 }) })) ?? []
    expect(said.map(({ rule }) => rule).toSorted()).toEqual([...engine.rules].toSorted())
    expect(said.find(({ rule }) => rule === 'large-transfer')).toMatchObject({
      result: 'not-matched',
      because: 'amount > 500',
    })
  })

  it('has another hash for another text, another parent and another strategy', () => {
    const parents = (text: string) => () => ({ file: 'p.yaml', text: text })
    const child = `${head}extends: p.yaml\n`
    const parent = 'apiVersion: governance.toolkit/v1\nname: p\n'
    const hash = (options: ToolkitFormOptions): string | undefined =>
      createToolkitForm(options).compile({ file: 'c.yaml', text: child }, [])?.hash
    const hashes = [
      hash({ parent: parents(parent) }),
      hash({ parent: parents(`${parent}scope: agent\n`) }),
      hash({ parent: parents(parent), conflicts: 'deny_overrides' }),
    ]
    expect(hashes.every((text) => text?.length === 43)).toBe(true)
    expect(new Set(hashes).size).toBe(3)
  })
})

describe('extends', () => {
  const parent = (texts: Readonly<Record<string, string>>): ToolkitFormOptions => ({
    parent: (reference): PolicySource | undefined =>
      texts[reference] === undefined ? undefined : { file: reference, text: texts[reference] },
  })

  it.each([
    ['itself', 'test.yaml', { 'test.yaml': '' }, 'in a circle: test.yaml → test.yaml'],
    [
      'what extends it',
      'a.yaml',
      { 'a.yaml': `${head}extends: test.yaml\n`, 'test.yaml': '' },
      'in a circle: test.yaml → a.yaml → test.yaml',
    ],
    ['what is not there', 'b.yaml', {}, 'the document b.yaml was not found'],
    ['what lies above', '../b.yaml', {}, 'does not lie in the folder'],
    ['what lies elsewhere', '/etc/passwd', {}, 'does not lie in the folder'],
    ['what lies on another machine', 'https://a.example/b.yaml', {}, 'does not lie in the folder'],
  ])('refuses a document that extends %s', (_what, reference, texts, problem) => {
    const problems = load(`${head}extends: ${reference}\n`, parent(texts))
    expect(problems.join('\n')).toContain(problem)
  })

  it('refuses a child that gives a rule of its parent another meaning', () => {
    const rules = 'rules:\n  - {name: never, action: deny}\n'
    const problems = load(
      `${head}extends: p.yaml\n${rules.replace('deny', 'allow')}`,
      parent({ 'p.yaml': `${head}${rules}` }),
    )
    expect(problems[0]).toContain('a rule never stands in p.yaml, and a child only adds')
  })

  it('refuses a chain of more than 32 documents', () => {
    const texts = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`${String(at)}.yaml`, `${head}extends: ${String(at + 1)}.yaml\n`]),
    )
    expect(load(`${head}extends: 0.yaml\n`, parent(texts)).join('\n')).toContain('more than 32 documents')
  })

  it('takes a parent that two parents share once', () => {
    const shared = {
      'a.yaml': `${head}extends: c.yaml\n`,
      'b.yaml': `${head}extends: c.yaml\n`,
      'c.yaml': `${head}rules:\n  - {name: r, action: allow}\n`,
    }
    const engine = createToolkitForm(parent(shared)).compile(
      { file: 'x.yaml', text: `${head}extends: [a.yaml, b.yaml]\n` },
      [],
    )
    expect(engine?.rules).toEqual(['r'])
  })

  it('denies by default if any document of the chain does', () => {
    const text = `${head}default_action: allow\nextends: p.yaml\n`
    expect(decide(text, {}, parent({ 'p.yaml': `${head}default_action: deny\n` }))).toMatchObject({ kind: 'deny' })
  })
})

describe('bad input', () => {
  const forms = [createToolkitForm(), manifestForm]
  const bombs: readonly (readonly [string, string, string])[] = [
    ['10 MB of rules', `${head}rules:\n${'  - {name: a, action: deny}\n'.repeat(360_000)}`, 'larger than 4194304'],
    ['deep nesting', `${head}rules: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`, 'nested too deeply'],
    [
      'an alias bomb',
      `a: &a [x, x]\n${Array.from({ length: 30 }, (_, at) => `b${String(at)}: &b${String(at)} [*${at === 0 ? 'a' : `b${String(at - 1)}`}, *a]`).join('\n')}\n`,
      'the alias *',
    ],
    ['a tag', `${head}description: !!js/function 'x'\n`, 'not valid YAML'],
    ['two documents', `${head}---\n${head}`, 'not valid YAML'],
    ['a list', '- a\n', 'not a map'],
    ['nothing', '', 'not a map'],
    ['a key twice', `${head}name: b\n`, 'not valid YAML'],
  ]
  it.each(bombs)('refuses %s', (_what, text, problem) => {
    for (const form of forms) {
      const problems: PolicyProblem[] = []
      expect(form.compile({ file: 'bad.yaml', text }, problems)).toBeUndefined()
      expect(problems[0]?.problem).toContain(problem)
      expect(problems.length).toBeLessThanOrEqual(101)
    }
  })
})
