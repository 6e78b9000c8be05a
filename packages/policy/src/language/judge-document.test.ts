import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decidePolicy, type PolicyDecision } from '../decide-policy.ts'
import { hopOf, type HopChanges } from '../policy-input.fixture.ts'
import { compilePolicy, type PolicySet } from '../policy-set.ts'
import type { PolicySource } from '../policy-source.ts'
import { conflictStrategies } from './policy-document.ts'

function documentWith(rules: string, head: string, name = 'test'): PolicySource {
  return { file: `${name}.yaml`, text: `apiVersion: parley/v1\nname: ${name}\n${head}\nrules:\n${rules}\n` }
}

function setOf(...sources: readonly PolicySource[]): PolicySet {
  return compilePolicy(sources, { defaults: false })
}

function decide(rules: string, head = 'default: deny', changes: HopChanges = {}): PolicyDecision {
  return decidePolicy(setOf(documentWith(rules, head)), hopOf(changes))
}

const allow = '  - { name: yes, when: "true", effect: allow, priority: 1 }'
const deny = '  - { name: no, when: "true", effect: deny, priority: 2 }'
const ask = '  - { name: ask, when: "true", effect: require_approval, priority: 3 }'
const broken = '  - { name: broken, when: body.missing == 1, effect: deny, priority: 9 }'

describe('conflicts', () => {
  it.each([
    ['deny_overrides', [allow, ask, deny], 'no'],
    ['deny_overrides', [allow, ask], 'ask'],
    ['allow_overrides', [deny, ask, allow], 'yes'],
    ['allow_overrides', [ask, deny], 'no'],
    ['priority_first_match', [allow, deny, ask], 'ask'],
    ['priority_first_match', [allow, deny], 'no'],
    ['most_specific_wins', [allow, deny], 'no'],
  ])('%s decides by the right rule', (strategy, rules, rule) => {
    expect(decide(rules.join('\n'), `default: deny\nconflicts: ${strategy}`)).toMatchObject({ rule })
  })

  it('lets a rule about an agent win over one about its owner, and that over one about all', () => {
    const agent = "  - { name: agent, when: caller.name == 'acme/desk', effect: allow }"
    const owner = "  - { name: owner, when: caller.owner == 'did:web:acme.example', effect: deny }"
    const head = 'default: deny\nconflicts: most_specific_wins'
    expect(decide([allow, owner, agent].join('\n'), head)).toMatchObject({ kind: 'allow', rule: 'agent' })
    expect(decide([allow, owner].join('\n'), head)).toMatchObject({ kind: 'deny', rule: 'owner' })
    expect(decide([owner, agent].join('\n'), head, { caller: { name: 'acme/x' } })).toMatchObject({ rule: 'owner' })
    expect(decide([deny, owner].join('\n'), head, { caller: { owner: 'did:web:x' } })).toMatchObject({ rule: 'no' })
  })

  it.each(conflictStrategies)('under %s no rule that throws allows', (strategy) => {
    const head = `default: deny\nconflicts: ${strategy}`
    expect(decide('  - { name: broken, when: body.missing == 1, effect: allow }', head)).toMatchObject({
      kind: 'deny',
      code: 'policy.evaluation-failed',
    })
    const beside = decide(`${broken}\n${allow}`, head)
    const undecided = { kind: 'deny', code: 'policy.evaluation-failed', rule: 'broken' }
    expect(beside).toMatchObject(strategy === 'allow_overrides' ? { kind: 'allow', rule: 'yes' } : undecided)
  })

  it.each(conflictStrategies)('under %s the index finds what a scan finds', (strategy) => {
    const when = fc.constantFrom(
      "caller.name == 'acme/desk'",
      "caller.owner == 'did:web:x' && body.missing == 1",
      "body.to.startsWith('Z')",
      "body.to.startsWith('ZR') && caller.score >= 400",
      'caller.score >= 500',
      'caller.score > 500',
      'caller.score < 501',
      'body.amount <= 299.5',
      'body.none >= 1',
      "body.none.startsWith('x')",
      "action in ['flights:reserve', 'cars:rent']",
      'body.amount == 300',
      'true',
    )
    const rule = fc.record({
      when,
      effect: fc.constantFrom('allow', 'deny', 'require_approval', 'warn'),
      priority: fc.integer({ min: 0, max: 3 }),
    })
    const text = (rules: readonly { when: string; effect: string; priority: number }[], hide: boolean): string =>
      rules
        .map(({ when: text, effect, priority }, at) => {
          // A second way to say the same, which no index reads; the scope of a rule is read from what one does.
          const condition = hide ? `(${text}) || false` : text
          return `  - { name: r${String(at)}, effect: ${effect}, priority: ${String(priority)}, when: "${condition}" }`
        })
        .join('\n') || '  []'
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 8 }), fc.constantFrom('allow', 'deny'), (rules, fallback) => {
        fc.pre(strategy !== 'most_specific_wins' || rules.every((each) => !each.when.startsWith('caller.')))
        const head = `default: ${fallback}\nconflicts: ${strategy}`
        const facts = (decision: PolicyDecision): unknown =>
          JSON.parse(JSON.stringify(decision).replaceAll(decision.policyHash, '')) as unknown
        expect(facts(decide(text(rules, false), head))).toEqual(facts(decide(text(rules, true), head)))
      }),
      { seed: 5, numRuns: 150 },
    )
  })
})

describe('limits and obligations', () => {
  it('hold whenever their rule matches, whichever rule decides', () => {
    const paced = '  - { name: paced, when: body.amount > 1, effect: allow, limit: 10/minute, obligations: [log-it] }'
    expect(decide(`${allow}\n${paced}`)).toMatchObject({
      kind: 'allow',
      rule: 'yes',
      limits: [{ document: 'test', rule: 'paced', max: 10, perMs: 60_000, take: 1 }],
      obligations: ['log-it'],
    })
    expect(decide(`${allow}\n${paced}`, 'default: deny', { body: () => ({}) })).toMatchObject({
      code: 'policy.evaluation-failed',
      rule: 'paced',
    })
  })

  it('bound amounts, each by itself and in sum', () => {
    const each = '  - { name: small, when: "true", effect: allow, maxAmount: 250 }'
    const sum = '  - { name: sum, when: "true", effect: allow, maxAmount: 1000/day, amountOf: body.cost.total }'
    const of = (body: unknown): PolicyDecision => decide(`${each}\n${sum}`, 'default: deny', { body: () => body })
    expect(of({ amount: 250, cost: { total: 40 } })).toMatchObject({
      kind: 'allow',
      limits: [{ rule: 'sum.body.cost.total', max: 1_000, perMs: 86_400_000, take: 40 }],
    })
    expect(of({ amount: 251, cost: { total: 40 } })).toMatchObject({ code: 'policy.denied', rule: 'small' })
    for (const amount of ['1', -1, null, undefined, [1]])
      expect(of({ amount, cost: { total: 40 } })).toMatchObject({ code: 'policy.evaluation-failed', rule: 'small' })
  })

  it('are not asked of a way back', () => {
    const paced = '  - { name: paced, when: "true", effect: allow, limit: 1/day, maxAmount: 1 }'
    expect(decide(paced, 'default: deny', { phase: 'undo' })).toMatchObject({ kind: 'allow', limits: [] })
  })
})

describe('transform', () => {
  const redact = '  - { name: hide, when: "true", effect: transform, redact: [body.mail, "body.people[*].mail"] }'

  it('changes the body before anything is decided, and leaves the given one as it is', () => {
    const body = { mail: 'a@b.c', people: [{ mail: 'x@y.z', n: 1 }, { n: 2 }], amount: 900 }
    const before = structuredClone(body)
    const cap =
      '  - { name: cap, when: body.amount > 500, effect: transform, rewrite: { body.amount: "500", body.capped: "true" } }'
    const small = '  - { name: small, when: body.amount <= 500 && body.capped == true, effect: allow }'
    expect(decide([redact, cap, small].join('\n'), 'default: deny', { body: () => body })).toMatchObject({
      kind: 'allow',
      rule: 'small',
      rewritten: {
        rules: ['test#hide', 'test#cap'],
        body: { mail: '[redacted]', people: [{ mail: '[redacted]', n: 1 }, { n: 2 }], amount: 500, capped: true },
      },
    })
    expect(body).toEqual(before)
  })

  it('redacts what a pattern finds, wherever it stands below the path', () => {
    const mail =
      "  - { name: m, when: \"true\", effect: transform, redact: [body], matching: '[a-z]+@[a-z]+', with: '***' }"
    const body = { text: 'ask bob@acme or eve@sky', list: ['x@y', 5] }
    expect(decide(`${mail}\n${allow}`, 'default: deny', { body: () => body })).toMatchObject({
      rewritten: { body: { text: 'ask *** or ***', list: ['***', 5] } },
    })
  })

  it('denies where it is not known whether or how to change the body', () => {
    const when = '  - { name: t, when: body.missing == 1, effect: transform, redact: [body.mail] }'
    const how = '  - { name: t, when: "true", effect: transform, rewrite: { body.x: body.missing } }'
    for (const rule of [when, how])
      expect(decide(`${rule}\n${allow}`)).toMatchObject({ kind: 'deny', code: 'policy.evaluation-failed', rule: 't' })
  })
})

describe('extends', () => {
  const base = (rules: string, head = 'default: deny'): PolicySource => ({
    ...documentWith(rules, head, 'base'),
    isParent: true,
  })
  const child = (rules: string, head: string): PolicySource => documentWith(rules, `${head}\nextends: base`, 'child')

  it.each(conflictStrategies)('under %s a child never weakens what its parent denies or asks for', (strategy) => {
    const head = `default: deny\nconflicts: ${strategy}`
    const named = "  - { name: child-yes, when: caller.name == 'acme/desk', effect: allow, priority: 100 }"
    expect(decidePolicy(setOf(base(deny), child(named, head)), hopOf())).toMatchObject({
      document: 'child',
      rule: 'no',
    })
    expect(decidePolicy(setOf(base(ask), child(named, head)), hopOf())).toMatchObject({
      document: 'child',
      rule: 'ask',
    })
    expect(decidePolicy(setOf(base(allow), child('  []', head)), hopOf())).toMatchObject({ kind: 'allow', rule: 'yes' })
  })

  it('refuses a parent that is not there, a circle, a laxer default and names that meet', () => {
    const problemOf = (...sources: readonly PolicySource[]): string => {
      try {
        setOf(...sources)
        return ''
      } catch (error) {
        return error instanceof Error ? error.message : ''
      }
    }
    expect(problemOf(child(allow, 'default: deny'))).toContain('child.yaml:4:10: no document is named base')
    const around = { ...documentWith('  []', 'default: deny\nextends: [child]', 'base'), isParent: true }
    expect(problemOf(around, child(allow, 'default: deny'))).toContain('extends goes in a circle: child → base → child')
    expect(problemOf(base(allow), child('  []', 'default: allow'))).toContain('cannot allow by default')
    expect(problemOf(base(allow), child(allow, 'default: deny'))).toContain('share a name')
    const twice = problemOf(documentWith(`${allow}\n${allow}`, 'default: deny'))
    expect(twice).toContain('a second rule is named')
    expect(twice).not.toContain('share a name')
  })

  it('narrows still: a parent that also stands by itself has to allow as well', () => {
    const alone = documentWith(deny, 'default: deny', 'base')
    expect(decidePolicy(setOf(alone, child(allow, 'default: deny\nconflicts: allow_overrides')), hopOf()).kind).toBe(
      'deny',
    )
  })

  it('covers the texts of parents by its hash', () => {
    const hash = (rules: string): string => setOf(base(rules), child('  []', 'default: deny')).policyHash
    expect(hash(allow)).not.toBe(hash(deny))
  })
})

describe('compileRule', () => {
  it.each([
    ['  - { name: r, when: "true", effect: allow, limit: 10/fortnight }', 'is no limit'],
    ['  - { name: r, when: "true", effect: allow, limit: 0/minute }', 'is no limit'],
    ['  - { name: r, when: "true", effect: deny, limit: 1/minute }', 'limit stands at'],
    ['  - { name: r, when: "true", effect: allow, maxAmount: lots }', 'is no amount'],
    ['  - { name: r, when: "true", effect: allow, amountOf: body.x }', 'without maxAmount'],
    ['  - { name: r, when: "true", effect: allow, maxAmount: 5, amountOf: action }', 'not a number'],
    ['  - { name: r, when: "true", effect: require_approval, approvers: [a/b], requires: 2 }', 'never be granted'],
    ['  - { name: r, when: "true", effect: require_approval, requires: 0 }', 'requires is not a whole number'],
    ['  - { name: r, when: "true", effect: require_approval, within: soon }', 'is no span'],
    ['  - { name: r, when: "true", effect: transform }', 'says what it changes'],
    ['  - { name: r, when: "true", effect: transform, redact: [caller.name] }', 'is no path into the body'],
    ['  - { name: r, when: "true", effect: transform, redact: [body], matching: "(a" }', 'not one of RE2'],
    ['  - { name: r, when: "true", effect: transform, rewrite: { body.x: nope } }', 'Unknown variable'],
    ['  - { name: r, when: "true", effect: allow, redact: [body.x] }', 'redact stands at'],
    ['  - { name: r, when: "true", effect: allow, obligations: [Loud] }', 'the obligation'],
    ['  - { name: r, when: "true", effect: allow, priority: high }', 'priority is not a whole number'],
  ])('refuses %s', (rule, problem) => {
    expect(() => decide(rule)).toThrow(problem)
  })

  it('refuses a strategy that does not exist, at its place', () => {
    expect(() => decide(allow, 'default: deny\nconflicts: loudest')).toThrow('test.yaml:4:12: the strategy')
  })
})
