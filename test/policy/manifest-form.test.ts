import { formatProblem, type PolicyEngine, type PolicyProblem } from '@parley/policy'
import { manifestForm } from '@parley/policy-agt'
import { describe, expect, it } from 'vitest'
import { hopOf, type HopChanges } from '../../packages/policy/src/policy-input.fixture.ts'
import { loadDocument } from './ask-us.ts'

const research = { caller: { name: 'acme/research' } } as const

function load(text: string): { readonly engine: PolicyEngine | undefined; readonly problems: readonly string[] } {
  const problems: PolicyProblem[] = []
  const engine = manifestForm.compile({ file: 'agent.yaml', text }, problems)
  expect(engine === undefined).toBe(problems.length > 0)
  return { engine, problems: problems.map(formatProblem) }
}

/** Decides by a manifest with one tool, `web_search`. */
function decide(tool: string, hop: HopChanges): unknown {
  const text = `agent: {id: research, manifest: {tools: [{name: web_search, ${tool}}]}}`
  return load(text).engine?.decide(hopOf({ ...research, action: 'web:web_search', ...hop }))
}

describe('manifestForm', () => {
  it('accepts manifests in block and in flow style, and no other documents', () => {
    const accepts = (text: string): boolean => manifestForm.accepts({ file: 'x', text })
    expect(accepts('agent:\n  id: a\n  manifest: {}\n')).toBe(true)
    expect(accepts('{"agent": {"id": "a", "manifest": {"tools": []}}}')).toBe(true)
    expect(accepts('agent: a\nrules: []\n')).toBe(false)
    expect(accepts('apiVersion: parley/v1\nname: x\n# agent: manifest:\n')).toBe(false)
  })

  it.each([
    ['an unknown key of a tool', '{id: a, manifest: {tools: [{name: b, max_call: 1}]}}', '1:45: unknown key max_call'],
    [
      'an unknown key of a parameter',
      '{id: a, manifest: {tools: [{name: b, parameters: {q: {maxlength: 5}}}]}}',
      '1:62: unknown key maxlength',
    ],
    [
      'a regular expression',
      '{id: a, manifest: {tools: [{name: b, parameters: {q: {pattern: "(a+)+"}}}]}}',
      '1:62: pattern is refused',
    ],
    [
      'a parameter that is no map',
      '{id: a, manifest: {tools: [{name: b, parameters: {q: string}}]}}',
      '1:61: not a map',
    ],
    [
      'an unknown type',
      '{id: a, manifest: {tools: [{name: b, parameters: {q: {type: text}}}]}}',
      "1:68: the type 'text'",
    ],
    [
      'a length of a number',
      '{id: a, manifest: {tools: [{name: b, parameters: {q: {type: number, max_length: 5}}}]}}',
      '1:61: the parameter q is of the type number and has no length',
    ],
    [
      'a bound of a text',
      '{id: a, manifest: {tools: [{name: b, parameters: {q: {type: string, max: 5}}}]}}',
      '1:61: the parameter q is of the type string and has no min or max',
    ],
    [
      'an unknown classification',
      '{id: a, manifest: {tools: [{name: b, classification: harmless}]}}',
      "1:61: the classification 'harmless'",
    ],
    [
      'a tool that can be no capability',
      '{id: a, manifest: {tools: [{name: Web Search}]}}',
      "1:42: the tool 'Web Search'",
    ],
    ['a denied tool that can be none', '{id: a, manifest: {tools: []}, denied_tools: ["*"]}', "1:54: the tool '*'"],
    ['a tool twice', '{id: a, manifest: {tools: [{name: b}, {name: b}]}}', '1:46: the tool b is listed twice'],
    [
      'no calls',
      '{id: a, manifest: {tools: [{name: b, max_calls_per_minute: 0}]}}',
      '1:67: max_calls_per_minute is not',
    ],
    ['a negative amount', '{id: a, manifest: {tools: [{name: b, max_amount: -1}]}}', '1:57: max_amount is below 0'],
    [
      'approvers that are not asked',
      '{id: a, manifest: {tools: [{name: b, approvers: [boss]}]}}',
      '1:57: approvers stands at',
    ],
    [
      'an approval that is no bool',
      '{id: a, manifest: {tools: [{name: b, requires_human_approval: maybe}]}}',
      '1:70: requires_human_approval is not true or false',
    ],
    ['no tools', '{id: a, manifest: {}}', '1:26: tools is missing'],
    ['no manifest', '{id: a}', '1:8: the agent has no manifest'],
    ['no id', '{manifest: {tools: []}}', '1:8: the agent has no id'],
    ['an id that can be no agent', '{id: "did:x:y", manifest: {tools: []}}', "1:13: 'did:x:y' can mean no agent"],
  ])('refuses %s at its position', (_what, agent, problem) => {
    const { problems } = load(`agent: ${agent}`)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(`agent.yaml:${problem}`)
  })

  it('hands on how often a tool may be called', () => {
    const body = (): unknown => ({ query: 'x' })
    expect(loadDocument('manifest.yaml').decide(hopOf({ ...research, action: 'web:web_search', body }))).toEqual({
      kind: 'allow',
      rule: 'web_search',
      limits: [{ rule: 'web_search', max: 30, perMs: 60_000, take: 1 }],
    })
  })

  it('refuses a tool that is not listed and one that is denied, and says which', () => {
    const engine = loadDocument('manifest.yaml')
    expect(engine.decide(hopOf({ ...research, action: 'db:drop' }))).toMatchObject({
      rule: 'tools',
      code: 'policy.denied',
    })
    expect(engine.decide(hopOf({ ...research, action: 'shell:execute_code' }))).toMatchObject({ rule: 'denied_tools' })
  })

  it('lets a denied tool win over a listed one', () => {
    const { engine } = load('agent: {id: research, manifest: {tools: [{name: b}]}, denied_tools: [b]}')
    expect(engine?.decide(hopOf({ ...research, action: 'a:b' }))).toMatchObject({ kind: 'deny', rule: 'denied_tools' })
  })

  it.each([
    ['parameters: {q: {type: string, max_length: 2}}', { q: 'ab' }, 'allow'],
    ['parameters: {q: {type: string, max_length: 2}}', { q: '😀😀' }, 'allow'],
    ['parameters: {q: {type: string, max_length: 2}}', { q: '😀😀a' }, 'deny'],
    ['parameters: {q: {min_length: 2}}', { q: 'a' }, 'deny'],
    ['parameters: {q: {min_length: 2}}', { q: 7 }, 'deny'],
    ['parameters: {q: {type: array, max_length: 2}}', { q: [1, 2, 3] }, 'deny'],
    ['parameters: {q: {type: integer, min: 1, max: 3}}', { q: 3 }, 'allow'],
    ['parameters: {q: {type: integer, min: 1, max: 3}}', { q: 4 }, 'deny'],
    ['parameters: {q: {max: 3}}', { q: '2' }, 'deny'],
    ['parameters: {q: {enum: [a, 1]}}', { q: 1 }, 'allow'],
    ['parameters: {q: {enum: [a, 1]}}', { q: '1' }, 'deny'],
    ['parameters: {q: {type: object}}', { q: {} }, 'allow'],
    ['parameters: {q: {type: object}}', { q: [] }, 'deny'],
    ['parameters: {q: {required: true}}', { q: null }, 'deny'],
    ['parameters: {q: {}}', {}, 'allow'],
    ['parameters: {}', { q: 1 }, 'deny'],
    ['parameters: {}', JSON.parse('{"__proto__": 1}') as object, 'deny'],
    ['parameters: {constructor: {required: true}}', {}, 'deny'],
    ['max_amount: 5', { amount: 5 }, 'allow'],
    ['max_amount: 5', { amount: 5.01 }, 'deny'],
    ['max_amount: 5, parameters: {q: {}}', { amount: 5, q: 1 }, 'allow'],
    ['max_amount: 5', [5], 'deny'],
    ['classification: reversible', {}, 'allow'],
  ])('under {%s} answers %j with %s', (tool, body, kind) => {
    expect(decide(tool, { body: () => body })).toMatchObject({ kind })
  })

  it('asks of the irreversible what the ring table asks, unless a human approves', () => {
    const tool = 'classification: irreversible'
    const hop = { risk: 'irreversible' } as const
    expect(decide(tool, hop)).toMatchObject({ kind: 'deny', code: 'trust.below-threshold' })
    expect(decide(tool, { ...hop, caller: { ...research.caller, tier: 'trusted' } })).toMatchObject({ kind: 'allow' })
    expect(decide(tool, { ...hop, caller: { ...research.caller, grantsByName: true } })).toMatchObject({
      kind: 'allow',
    })
    expect(decide(`${tool}, requires_human_approval: true`, hop)).toMatchObject({ kind: 'require_approval' })
  })

  it('refuses what does more harm by its contract than by the manifest', () => {
    expect(decide('classification: reversible', { risk: 'administrative' })).toMatchObject({ kind: 'deny' })
  })

  it('says nothing of other agents, nor of taking back what was done', () => {
    expect(decide('description: x', { caller: { name: 'acme/desk' }, action: 'db:drop' })).toEqual({
      kind: 'allow',
      rule: 'default',
    })
    expect(decide('description: x', { phase: 'undo', action: 'db:drop' })).toEqual({ kind: 'allow', rule: 'default' })
  })

  it('explains which tool was meant, and why not', () => {
    const said = loadDocument('manifest.yaml').explain?.(
      hopOf({ ...research, action: 'web:web_search', body: () => ({ query: 7 }) }),
    )
    expect(said?.[0]).toMatchObject({
      rule: 'web_search',
      result: 'not-matched',
      because: 'the argument query is not of the type string',
    })
    expect(said?.[1]).toMatchObject({ rule: 'read_file', because: 'another tool' })
  })
})
