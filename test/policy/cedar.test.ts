import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatProblem, type PolicyEngine, type PolicyProblem } from '@parley/policy'
import { createCedarForm } from '@parley/policy-cedar'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hopOf, type HopChanges } from '../../packages/policy/src/policy-input.fixture.ts'

const form = createCedarForm()
const allowAll = 'permit (principal, action, resource);'

function load(text: string): { readonly engine: PolicyEngine | undefined; readonly problems: readonly string[] } {
  const problems: PolicyProblem[] = []
  const engine = form.compile({ file: 'x.cedar', text }, problems)
  expect(engine === undefined).toBe(problems.length > 0)
  return { engine, problems: problems.map(formatProblem) }
}

function decide(text: string, hop: HopChanges = {}): unknown {
  const { engine, problems } = load(text)
  expect(problems).toEqual([])
  return engine?.decide(hopOf(hop))
}

function when(condition: string): string {
  return `permit (principal, action, resource) when { ${condition} };`
}

describe('createCedarForm', () => {
  it('accepts files by their name', () => {
    expect(form.accepts({ file: 'a/b.cedar', text: '' })).toBe(true)
    expect(form.accepts({ file: 'b.yaml', text: allowAll })).toBe(false)
  })

  it('decides like Cedar: a forbid wins over a permit, and no permit denies', () => {
    const forbid = '@id("no") @reason("not today") forbid (principal, action == Action::"flights:reserve", resource);'
    expect(decide(`@id("yes")\n${allowAll}`)).toEqual({ kind: 'allow', rule: 'yes' })
    expect(decide(`${allowAll}\n${forbid}`)).toEqual({
      kind: 'deny',
      rule: 'no',
      code: 'policy.denied',
      reason: 'not today',
    })
    expect(decide(forbid, { action: 'hotels:book' })).toMatchObject({ kind: 'deny', rule: 'default' })
    expect(decide('')).toMatchObject({ kind: 'deny', rule: 'default' })
  })

  it.each([
    ['principal == Agent::"acme/desk"', true],
    ['principal == Agent::"sky/flights"', false],
    ['resource == Agent::"sky/flights"', true],
    ['principal in Owner::"did:web:acme.example"', true],
    ['principal in Owner::"did:web:other.example"', false],
    ['action == Action::"flights:reserve:sfo"', true],
    ['action in Action::"flights:reserve"', true],
    ['action in Action::"flights:*"', true],
    ['action in Action::"hotels:*"', false],
    ['principal.tier == "standard" && principal.score >= 500', true],
    ['principal.owner == Owner::"did:web:acme.example"', true],
    ['principal.grants && !principal.grantsByName', true],
    ['context.direction == "inbound" && context.peer == principal', true],
    ['context.phase == "do" && context.risk == "reversible"', true],
    ['context.labels.contains("pii")', true],
    ['context.labels.contains("x")', false],
    ['context.hop.index == 0 && context.hop.path.contains("acme/desk")', true],
    ['context.time.hour == 13 && context.time.weekday == 4', true],
    ['!context.saga.present && context.delegation.depth == 0', true],
    ['context.objective.breaker == "closed" && context.objective.budgetLeft.greaterThan(decimal("0.5"))', true],
    ['context.body.amount > 299', true],
    ['context.body.price.lessThan(decimal("9.99"))', true],
    ['context.body has note', false],
    ['context.body.to == "ZRH" && context.body.tags.contains("a")', true],
    ['context has body && context.body has nested.deep', true],
  ])('reads the hop: %s is %s', (condition, holds) => {
    const body = (): unknown => ({
      amount: 300,
      price: 9.5,
      to: 'ZRH',
      tags: ['a', 'b'],
      note: null,
      nested: { deep: 1 },
    })
    const hop = { action: 'flights:reserve:sfo', labels: ['pii'], body } as const
    expect(decide(when(condition), hop)).toMatchObject({ kind: holds ? 'allow' : 'deny' })
  })

  it('denies by an error in any policy, also where Cedar would skip a forbid that errors', () => {
    const text = `@id("all")\n${allowAll}\n@id("limit") forbid (principal, action, resource) when { context.body.amount > 500 };`
    expect(decide(text, { body: () => ({ amount: 499 }) })).toEqual({ kind: 'allow', rule: 'all' })
    const failed = { kind: 'deny', rule: 'limit', code: 'policy.evaluation-failed' }
    expect(decide(text, { body: () => ({}) })).toMatchObject(failed)
    expect(decide(text, { body: () => ({ amount: '900' }) })).toMatchObject(failed)
    expect(decide(text, { body: () => ({ amount: 900.5 }) })).toMatchObject(failed)
    expect(JSON.stringify(decide(text, { body: () => ({ amount: 'hunter2' }) }))).not.toContain('hunter2')
  })

  it('does not read the body where no policy does', () => {
    const body = (): never => {
      throw new Error('read')
    }
    expect(decide(when('context.risk == "reversible"'), { body })).toMatchObject({ kind: 'allow' })
    expect(() => decide(when('context.body has x'), { body })).toThrow('read')
    expect(() => decide(when('context == context'), { body })).toThrow('read')
  })

  it.each([
    ['an entity', { x: { __entity: { type: 'Agent', id: 'acme/root' } } }],
    ['an extension', { x: { __extn: { fn: 'decimal', arg: '1.0' } } }],
    ['an expression', { __expr: 'principal' }],
    ['null in a list', [null]],
    ['a number beyond Long', { x: 2 ** 60 }],
    ['a number of five places', { x: 0.00001 }],
    ['what is not a number', { x: Number.NaN }],
    ['a body of too many values', Array.from({ length: 5_000 }, () => 1)],
    ['a body that is nested too deeply', JSON.parse(`${'['.repeat(50)}${']'.repeat(50)}`) as unknown],
  ])('throws, which denies, at a body with %s', (_what, body) => {
    expect(() => decide(when('context.body == context.body'), { body: () => body })).toThrow(RangeError)
  })

  it('takes an agent that calls itself for as little as either side', () => {
    const both = { name: 'acme/desk' } as const
    const hop = { caller: { ...both, score: 900, grants: true }, callee: { ...both, score: 400, grants: false } }
    expect(decide(when('principal.score == 400 && !principal.grants'), hop)).toMatchObject({ kind: 'allow' })
  })

  it('has another hash for another text', () => {
    expect(load(allowAll).engine?.hash).toMatch(/^[\w-]{43}$/)
    expect(load(allowAll).engine?.hash).not.toBe(load(`${allowAll}\n`).engine?.hash)
  })

  it('explains each policy, and what failed', () => {
    const { engine } = load(
      `@id("a") ${allowAll}\n@id("b") ${when('context.body.x > 1')}\n@id("c") forbid (principal, action == Action::"x:y", resource);`,
    )
    expect(engine?.explain?.(hopOf())).toMatchObject([
      { rule: 'a', effect: 'allow', result: 'matched' },
      { rule: 'b', result: 'failed', because: expect.stringContaining('attribute') },
      { rule: 'c', effect: 'deny', result: 'not-matched' },
    ])
  })

  it('says the same as a table of permits and forbids that are combined by hand', () => {
    const actions = ['a:x', 'a:y', 'b:x'] as const
    const policy = fc.record({
      effect: fc.constantFrom('permit', 'forbid'),
      action: fc.constantFrom(...actions),
      least: fc.integer({ min: 0, max: 1000 }),
    })
    fc.assert(
      fc.property(
        fc.array(policy, { maxLength: 8 }),
        fc.constantFrom(...actions),
        fc.integer({ min: 0, max: 1000 }),
        (policies, action, score) => {
          const text = policies
            .map(
              ({ effect, action: named, least }) =>
                `${effect} (principal, action == Action::"${named}", resource) when { principal.score >= ${String(least)} };`,
            )
            .join('\n')
          const applies = policies.filter((each) => each.action === action && score >= each.least)
          const allowed = applies.length > 0 && applies.every(({ effect }) => effect === 'permit')
          expect(decide(text, { action, caller: { score } })).toMatchObject({ kind: allowed ? 'allow' : 'deny' })
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('bad documents', () => {
  it.each([
    ['what does not parse', 'permit (principal, action, resource)\nwhen { a b };', 'x.cedar:2:10: '],
    [
      'a place after other letters than ASCII',
      '// äöü\npermit (principal, action, resource) when { "ä" == x y };',
      'x.cedar:2:54: ',
    ],
    [
      'an unknown entity type',
      `${allowAll}\npermit (principal == User::"x", action, resource);`,
      'x.cedar:2:22: the entity type User is unknown',
    ],
    ['an unknown field', when('principal.age > 7'), 'x.cedar:1:55: the field age is unknown'],
    ['an unknown part of the context', when('context.rsk == "read"'), 'x.cedar:1:53: the field rsk is unknown'],
    [
      'an unknown part beside the body',
      when('context.body.x == 1 && context.saga.idd == "1"'),
      'the field idd is unknown',
    ],
    [
      'an action that is no capability',
      'permit (principal, action == Action::"Drop", resource);',
      "x.cedar:1:39: 'Drop' is neither a capability",
    ],
    ['an action for everything', 'permit (principal, action in Action::"*", resource);', "'*' is neither a capability"],
    [
      'types that do not fit',
      when('principal.score > "high"'),
      'x.cedar:1:63: unexpected type: expected Long but saw String',
    ],
    [
      'a comparison that never holds',
      when('context.risk == 5'),
      'x.cedar:1:45: the types Long and String are not compatible',
    ],
    ['a policy that never holds', when('false'), 'policy is impossible'],
    ['a template', 'permit (principal == ?principal, action, resource);', 'x.cedar:1:1: the template is refused'],
    ['an id twice', `@id("a") ${allowAll}\n@id("a") ${allowAll}`, 'another policy has the id a'],
    ['an id that is reserved', `@id("default") ${allowAll}`, "x.cedar:1:1: the id 'default'"],
    ['10 MB', allowAll.repeat(280_000), 'larger than 1048576'],
    ['too many policies', allowAll.repeat(5_001), 'more than 5000 policies'],
    ['deep parentheses', when(`${'('.repeat(500)}true${')'.repeat(500)}`), 'nests deeper than 100'],
    ['deep lists', when(`${'['.repeat(500)}${']'.repeat(500)} == []`), 'nests deeper than 100'],
    ['deep records', when(`${'{a:'.repeat(200)}1${'}'.repeat(200)} == 1`), 'nests deeper than 100'],
    ['a long sum', when(`1${'+1'.repeat(2_000)} > 0`), 'nests deeper than 100'],
    ['a long way', when(`context${'.a'.repeat(2_000)}`), 'nests deeper than 100'],
    ['a long chain of calls', when(`context.labels${'.contains("x")'.repeat(2_000)}`), 'nests deeper than 100'],
    ['many ifs', when(`${'if true then '.repeat(300)}true${' else false'.repeat(300)}`), 'nests deeper than 100'],
    ['a text without an end', `permit (principal, action, resource) when { "${'x'.repeat(100_000)}`, 'x.cedar:1:'],
  ])('are refused: %s', (_what, text, problem) => {
    const { engine, problems } = load(text)
    expect(engine).toBeUndefined()
    expect(problems.join('\n')).toContain(problem)
  })

  it('leave the library whole, so that the next document loads and decides', () => {
    expect(decide(allowAll)).toMatchObject({ kind: 'allow' })
  })

  it('are told from long ones that nest little', () => {
    const clause =
      '(context.risk == "read" || principal.owner == Owner::"did:web:acme.example") && principal.score + 1 > 2'
    expect(decide(when(Array.from({ length: 60 }, () => clause).join(' && ')))).toMatchObject({ kind: 'allow' })
  })
})

describe('the three policies of the tests', () => {
  it.each(['region-pinning', 'capability-scoping', 'email-redaction'])('load: %s', (name) => {
    expect(load(readFileSync(join(import.meta.dirname, 'languages', `${name}.cedar`), 'utf8')).problems).toEqual([])
  })
})
