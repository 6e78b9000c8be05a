import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileCondition, type Condition } from '../condition/condition.ts'
import { createHopView } from '../condition/hop-view.ts'
import { documentOf, hopOf } from '../policy-input.fixture.ts'
import { compilePolicy } from '../policy-set.ts'
import { conditionImplies, findContradiction } from './clause-relation.ts'
import { lintPolicy } from './lint-policy.ts'

function lint(...rules: readonly string[]): readonly string[] {
  const set = compilePolicy([{ file: 'a.yaml', text: documentOf(rules.map((rule) => `  - ${rule}`).join('\n')) }])
  return lintPolicy(set).map(({ kind, line, problem }) => `${String(line)} ${kind} ${problem}`)
}

function compile(text: string): Condition {
  const condition = compileCondition(text, () => {})
  if (!condition) throw new Error(text)
  return condition
}

describe('lintPolicy', () => {
  it('finds rules that never decide, at their place', () => {
    const deny = '{ name: no, when: "body.amount > 100", effect: deny }'
    const allow = '{ name: big, when: "body.amount > 500 && action == \'flights:reserve\'", effect: allow }'
    expect(lint(allow, deny)).toEqual(['5 never-decides the rule big never decides: no always does before it'])
    expect(
      lint('{ name: all, when: "true", effect: allow }', '{ name: late, when: saga.present, effect: allow }'),
    ).toEqual(['6 never-decides the rule late never decides: all always does before it'])
    const useful = "{ name: paced, when: caller.name == 'acme/desk', effect: allow, limit: 1/minute }"
    expect(lint('{ name: all, when: "true", effect: allow }', useful)).toEqual([])
  })

  it.each([
    ['caller.score > 1000', '0 to 1000'],
    ['2000 < peer.score', '0 to 1000'],
    ['callee.score < 0 && action == "a:b"', '0 to 1000'],
    ['caller.ring == 7', '0 to 4'],
    ['caller.assurance in [4, 5]', '0 to 3'],
    ['time.hour >= 24', '0 to 23'],
  ])('finds a rule that never matches, since a number cannot be that: %s', (when, range) => {
    expect(lint(`{ name: r, when: '${when}', effect: deny }`)).toEqual([
      expect.stringMatching(`^5 never-matches the rule r never matches: .*, but it is ${range}$`),
    ])
  })

  it.each([
    'caller.score >= 1000',
    'caller.score <= 0',
    'caller.ring in [4, 5]',
    'time.hour == 0',
    'body.score > 2000',
  ])('leaves alone what some value satisfies: %s', (when) => {
    expect(lint(`{ name: r, when: "${when}", effect: deny }`)).toEqual([])
  })

  it('finds allows and denies that speak of the same, and leaves those alone that exclude each other', () => {
    const allow = '{ name: yes, when: "action == \'flights:reserve\' && body.amount < 100", effect: allow }'
    const deny =
      "{ name: no, when: \"action in ['flights:reserve', 'cars:rent'] && labels.exists(l, l == 'x')\", effect: deny }"
    expect(lint(allow, deny)).toEqual(['5 overlap the rule yes allows what no may deny; deny_overrides decides'])
    const apart = '{ name: no, when: "action == \'flights:reserve\' && body.amount > 100", effect: deny }'
    expect(lint(allow, apart)).toEqual([])
  })

  it.each([
    "action == 'flights:reserve' && action == 'cars:rent'",
    "action == 'flights:reserve' && action.startsWith('cars:')",
    'caller.score > 500 && caller.score <= 500',
    "body.x.startsWith('a') && body.x.startsWith('b')",
  ])('what can never match is refused when it is loaded: %s', (when) => {
    expect(() => lint(`{ name: r, effect: allow, when: "${when}" }`)).toThrow('exclude each other')
  })

  const clause = fc.constantFrom(
    'body.n > 1',
    'body.n >= 2',
    'body.n < 2',
    'body.n <= 1.5',
    'body.n == 2',
    'body.n in [1, 2]',
    "body.t == 'ab'",
    "body.t.startsWith('a')",
    "body.t.startsWith('ab')",
    "body.t in ['a', 'ab']",
    'true',
  )
  const conditions = fc.array(clause, { minLength: 1, maxLength: 3 }).map((list) => compile(list.join(' && ')))
  const bodies = fc.record({ n: fc.constantFrom(0, 1, 1.5, 2, 3), t: fc.constantFrom('', 'a', 'ab', 'abc', 'b') })

  it('says that one condition implies another, or contradicts itself, only where it does', () => {
    fc.assert(
      fc.property(conditions, conditions, bodies, (strong, weak, body) => {
        const holds = (condition: Condition): unknown => condition.evaluate(createHopView(hopOf({ body: () => body })))
        expect(conditionImplies(strong, weak) && holds(strong) === true && holds(weak) !== true).toBe(false)
        expect(findContradiction(strong) !== undefined && holds(strong) === true).toBe(false)
      }),
      { seed: 21, numRuns: 2_000 },
    )
  })
})
