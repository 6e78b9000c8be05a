import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRuleIndex, isFailedRule } from '../index/rule-index.ts'
import { hopOf } from '../policy-input.fixture.ts'
import type { PolicyInput } from '../policy-input.ts'
import { compileCondition, type Condition } from './condition.ts'
import { Failure } from './failure.ts'
import { createHopView } from './hop-view.ts'
import { parseCel } from './parse-cel.ts'

function compile(text: string): Condition {
  const problems: string[] = []
  const condition = compileCondition(text, (_, problem) => problems.push(problem))
  if (!condition) throw new Error(`${text}: ${problems.join('; ')}`)
  return condition
}

/** `failed` where it fails: the library and we may tell another of several failures. */
function outcome(value: unknown): unknown {
  return value instanceof Failure ? 'failed' : value
}

/** What an index finds that holds this condition alone: it looks at the parts of a rule another way. */
function askIndex(condition: Condition, input: PolicyInput): unknown {
  const index = createRuleIndex([{ condition, isSkippedOnFailure: false }])
  const found = index.first(createHopView(input), { rules: undefined })
  return found !== undefined && isFailedRule(found) ? found.failure : found !== undefined
}

function ask(text: string, input: PolicyInput): unknown {
  const value = compile(text).evaluate(createHopView(input))
  return value instanceof Failure ? value.problem : value
}

const texts = fc.constantFrom("'SFO'", "'ZRH'", "''", "'flights:reserve'", "'acme/desk'", "'a'", "'pii'")
const numbers = fc.constantFrom('0', '1', '300', '500', '1.5', '300.0', '-2')
const textPaths = fc.constantFrom('action', 'caller.name', 'callee.owner', 'onBehalfOf', 'saga.step')
const numberPaths = fc.constantFrom('caller.score', 'peer.assurance', 'hop.index', 'time.hour', 'objective.budgetLeft')
const jsonPaths = fc.constantFrom(
  'body',
  'body.to',
  'body.amount',
  'body.deep.er',
  'body.list',
  'body.none',
  'body.flag',
)
const orders = fc.constantFrom('<', '<=', '>', '>=')
const equalities = fc.constantFrom('==', '!=')
const join = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((list) => list.join(' '))

const clause = fc.oneof(
  join(textPaths, equalities, texts),
  join(texts, equalities, textPaths),
  join(numberPaths, orders, numbers),
  join(numberPaths, equalities, numbers),
  join(jsonPaths, equalities, fc.oneof(texts, numbers, fc.constantFrom('true', 'null'))),
  join(jsonPaths, orders, fc.oneof(texts, numbers)),
  fc
    .tuple(jsonPaths, fc.array(texts, { minLength: 1, maxLength: 12 }))
    .map(([path, list]) => `${path} in [${list.join()}]`),
  fc
    .tuple(jsonPaths, fc.array(numbers, { minLength: 1, maxLength: 4 }))
    .map(([path, list]) => `${path} in [${list.join()}]`),
  fc.tuple(texts, fc.constantFrom('labels', 'hop.path', 'obligations')).map((parts) => parts.join(' in ')),
  fc
    .tuple(fc.oneof(textPaths, jsonPaths), fc.constantFrom('startsWith', 'endsWith', 'contains'), texts)
    .map(([path, name, text]) => `${path}.${name}(${text})`),
  fc
    .constantFrom('body.to', 'body.none', 'body.deep.er', 'body.none.er', 'body.to.er', 'body.list.er')
    .map((path) => `has(${path})`),
  fc.tuple(jsonPaths, orders).map(([path, order]) => `size(${path}) ${order} 2`),
  fc
    .tuple(
      fc.constantFrom('body.list', 'body.deep', 'body.to', 'labels', 'body.none'),
      fc.constantFrom('all', 'exists'),
      texts,
    )
    .map(([path, loop, text]) => `${path}.${loop}(i, i == ${text})`),
  fc.constantFrom('body.flag', 'caller.grants', 'saga.present', '!delegation.present', 'body.list.exists(i, i > 1)'),
  fc.constantFrom("body.to.matches('^[A-Z]+$')", "action.matches('reserve|book')", 'int(body.amount) + 1 > 3'),
)
const condition = fc.letrec<{ readonly any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    clause,
    fc.tuple(tie('any'), fc.constantFrom('&&', '||'), tie('any')).map(([a, op, b]) => `(${a}) ${op} (${b})`),
    fc.tuple(tie('any'), fc.constantFrom('&&', '||'), tie('any')).map(([a, op, b]) => `${a} ${op} ${b}`),
    tie('any').map((inner) => `!(${inner})`),
  ),
})).any

const json = fc.constantFrom<unknown>(
  'SFO',
  '',
  300,
  1.5,
  true,
  null,
  ['a', 'SFO'],
  [1, 'a'],
  [{}],
  { er: 'a' },
  { er: 1 },
)
const bodies = fc.oneof(
  fc.record({ to: json, amount: json, deep: json, list: json, flag: json }, { requiredKeys: [] }),
  json,
)

describe('compileCondition', () => {
  it('gives what the CEL library gives, also where something is missing or of another type', () => {
    fc.assert(
      fc.property(condition, bodies, fc.subarray(['pii', 'a']), (text, body, labels) => {
        const input = hopOf({ body: () => body, labels })
        const compiled = compileCondition(text, () => {})
        fc.pre(compiled !== undefined)
        const value = compiled?.evaluate(createHopView(input))
        expect(compiled && askIndex(compiled, input)).toEqual(value)
        const ours = outcome(value)
        const parsed = parseCel(text)
        if (!('check' in parsed)) throw new Error('does not parse')
        parsed.check()
        const theirs = outcome(parsed.run(createHopView(input)))
        // A condition may give a value that is no bool, which fails in the end.
        expect({ text, body, ours }).toEqual({ text, body, ours: typeof theirs === 'boolean' ? theirs : 'failed' })
      }),
      { seed: 11, numRuns: 3_000 },
    )
  })

  it('names the clause that cannot be evaluated, and no value', () => {
    expect(ask('body.secret == 1', hopOf())).toBe('no_such_key in body.secret')
    expect(ask('body.to > 1', hopOf())).toBe('no_such_overload in body.to > 1')
    expect(ask('body.to.size() + 1 > 2 && body.amount.startsWith("x")', hopOf())).toContain('no_matching_overload in')
  })

  it('matches by RE2: in linear time, and not at all in a text that is too long', () => {
    const evil = (to: string): unknown => ask("body.to.matches('(a+)+$')", hopOf({ body: () => ({ to }) }))
    expect(evil('aaa')).toBe(true)
    expect(evil(`${'a'.repeat(2_000)}!`)).toBe(false)
    expect(evil('a'.repeat(2_049))).toContain('at most 2048')
    const beside = "body.to.matches('^a') && int(body.amount) > 2 && string(body.to).matches('a$')"
    expect(ask(beside, hopOf({ body: () => ({ to: 'aba', amount: 3 }) }))).toBe(true)
  })

  it.each([
    "body.to.matches('(?=a)')",
    "body.to.matches('(a)\\\\1')",
    "body.to.matches('(?:a{100}){100}')",
    'body.to.matches(body.from)',
  ])('refuses the pattern of %s when it is loaded', (text) => {
    expect(() => compile(text)).toThrow(/pattern/)
  })
})
