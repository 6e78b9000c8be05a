import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decidePolicy, type PolicyDecision } from './decide-policy.ts'
import type { PolicyTier } from './policy-input.ts'
import { documentOf, hopOf, type HopChanges } from './policy-input.fixture.ts'
import { compilePolicy } from './policy-set.ts'

const builtIn = compilePolicy([])

function decide(rules: string, changes: HopChanges = {}, fallback: 'allow' | 'deny' = 'deny'): PolicyDecision {
  const set = compilePolicy([{ file: 'test.yaml', text: documentOf(rules, { default: fallback }) }])
  return decidePolicy(set, hopOf(changes))
}

const allowAll = '  - { name: all, when: "true", effect: allow }'

describe('decidePolicy', () => {
  it('allows what both credentials grant and names the document that did', () => {
    expect(decidePolicy(builtIn, hopOf())).toEqual({
      kind: 'allow',
      document: 'parley:credentials-only',
      rule: 'both-credentials-grant',
      policyHash: builtIn.policyHash,
      advice: [],
      limits: [],
      obligations: [],
    })
  })

  it.each([{ caller: { grants: false } }, { callee: { grants: false } }])(
    'T39: denies without any document what a credential does not grant',
    (changes) => {
      const denial = { kind: 'deny', code: 'policy.denied', document: 'parley:credentials-only', rule: 'default' }
      expect(decidePolicy(builtIn, hopOf(changes))).toMatchObject(denial)
      expect(decide(allowAll, changes)).toMatchObject(denial)
    },
  )

  const tiers: readonly PolicyTier[] = ['untrusted', 'probationary', 'standard', 'trusted', 'verified']
  it.each([
    ['read', 'probationary'],
    ['reversible', 'standard'],
    ['irreversible', 'trusted'],
  ] as const)('asks of %s work the tier %s, of the side that is judged', (risk, lowest) => {
    for (const tier of tiers) {
      const kind = tiers.indexOf(tier) >= tiers.indexOf(lowest) ? 'allow' : 'deny'
      const inbound = hopOf({ risk, caller: { tier }, callee: { tier: 'untrusted' } })
      const outbound = hopOf({ risk, direction: 'outbound', callee: { tier }, caller: { tier: 'untrusted' } })
      expect(decidePolicy(builtIn, inbound).kind).toBe(kind)
      expect(decidePolicy(builtIn, outbound).kind).toBe(kind)
    }
    expect(decidePolicy(builtIn, hopOf({ risk, caller: { tier: 'untrusted' } }))).toMatchObject({
      code: 'trust.below-threshold',
      document: 'parley:defaults',
    })
  })

  it('lets a grant by name stand for trust in irreversible work, unless the peer is untrusted', () => {
    const byName = (tier: PolicyTier): string =>
      decidePolicy(builtIn, hopOf({ risk: 'irreversible', caller: { tier, grantsByName: true } })).kind
    expect(byName('probationary')).toBe('allow')
    expect(byName('untrusted')).toBe('deny')
  })

  it('gives administrative work to humans only', () => {
    const administrative = { risk: 'administrative' } as const
    expect(decidePolicy(builtIn, hopOf({ ...administrative, caller: { tier: 'verified' } })).kind).toBe('deny')
    expect(decidePolicy(builtIn, hopOf({ ...administrative, caller: { tier: 'untrusted', kind: 'human' } })).kind).toBe(
      'allow',
    )
  })

  it.each(['undo', 'lookup', 'close'] as const)('exempts %s from the ring table but not from a deny rule', (phase) => {
    const changes: HopChanges = { phase, risk: 'irreversible', caller: { tier: 'untrusted' } }
    expect(decidePolicy(builtIn, hopOf(changes)).kind).toBe('allow')
    expect(decide('  - { name: no, when: "true", effect: deny }', changes, 'allow').kind).toBe('deny')
  })

  it('narrows: a document that does not allow denies', () => {
    expect(decide("  - { name: r, when: action == 'cars:rent', effect: allow }")).toMatchObject({
      kind: 'deny',
      code: 'policy.denied',
      document: 'test',
      rule: 'default',
    })
    expect(decide(allowAll)).toMatchObject({ kind: 'allow', document: 'test', rule: 'all' })
  })

  it('lets a deny rule win, then an approval, then an allow rule', () => {
    const deny = '  - { name: no, when: body.amount > 400, effect: deny, code: policy.denied, reason: too much }'
    const ask = '  - { name: ask, when: body.amount > 200, effect: require_approval, approvers: [acme/finance] }'
    const rules = [allowAll, ask, deny].join('\n')
    const of = (amount: number): PolicyDecision => decide(rules, { body: () => ({ amount }) })
    expect(of(500)).toMatchObject({ kind: 'deny', code: 'policy.denied', rule: 'no', reason: 'too much' })
    expect(of(300)).toMatchObject({ kind: 'deny', code: 'policy.approval-required', rule: 'ask' })
    expect(of(300)).toHaveProperty('reason', 'the rule ask asks for an approval by acme/finance')
    expect(of(100)).toMatchObject({ kind: 'allow', rule: 'all' })
  })

  it('records advice without deciding by it', () => {
    const rules = `${allowAll}\n  - { name: late, when: time.hour == 13, effect: warn }\n  - { name: broken, when: body.x == 1, effect: log }`
    expect(decide(rules)).toMatchObject({
      kind: 'allow',
      advice: [
        { document: 'test', rule: 'late', effect: 'warn' },
        { document: 'test', rule: 'broken', effect: 'log', failed: 'no_such_key in body.x' },
      ],
    })
  })

  it('denies when a deny or approval rule cannot be evaluated', () => {
    for (const effect of ['deny', 'require_approval']) {
      const rules = `${allowAll}\n  - { name: broken, when: body.missing > 1, effect: ${effect} }`
      expect(decide(rules)).toMatchObject({ kind: 'deny', code: 'policy.evaluation-failed', rule: 'broken' })
    }
  })

  it('never allows by an allow rule that cannot be evaluated, and says so', () => {
    const broken = '  - { name: broken, when: body.missing > 1, effect: allow }'
    expect(decide(broken)).toMatchObject({ kind: 'deny', code: 'policy.evaluation-failed', rule: 'broken' })
    expect(decide(`${broken}\n${allowAll}`)).toMatchObject({
      kind: 'allow',
      rule: 'all',
      advice: [{ rule: 'broken', effect: 'allow', failed: 'no_such_key in body.missing' }],
    })
  })

  it('parses the body once, and only if a rule reads it', () => {
    let parsed = 0
    const body = (): unknown => {
      parsed++
      throw new SyntaxError('not JSON')
    }
    expect(decide(allowAll, { body }).kind).toBe('allow')
    expect(parsed).toBe(0)
    const two = '  - { name: a, when: body.x == 1, effect: allow }\n  - { name: b, when: body.y == 1, effect: allow }'
    expect(decide(two, { body })).toMatchObject({ kind: 'deny', code: 'policy.evaluation-failed' })
    expect(parsed).toBe(1)
  })

  it('reads keys of the body as data, whatever they are called', () => {
    const body = (): unknown => JSON.parse('{"constructor":"x","__proto__":{"admin":true},"n":1}') as unknown
    const when = (text: string): string => decide(`  - { name: r, when: ${text}, effect: allow }`, { body }).kind
    expect(when("body.constructor == 'x' && body.n == 1")).toBe('allow')
    expect(when('has(body.admin)')).toBe('deny')
    expect(when('has(body.toString)')).toBe('deny')
  })

  it('refuses to judge a body that is too deep or too large', () => {
    const rules = '  - { name: r, when: size(body.l) >= 0, effect: allow }'
    const deep = JSON.parse(`{"l":[],"d":${'['.repeat(40)}${']'.repeat(40)}}`) as unknown
    expect(decide(rules, { body: () => deep })).toMatchObject({ code: 'policy.evaluation-failed' })
    const large = { l: Array.from({ length: 5000 }, () => 1) }
    expect(decide(rules, { body: () => large })).toMatchObject({ code: 'policy.evaluation-failed' })
    expect(decide(rules, { body: () => ({ l: [1] }) }).kind).toBe('allow')
  })

  it('compares JSON numbers with whole and broken literals', () => {
    const rule = '  - { name: r, when: "body.n > 500 && body.n in [501, 502] && body.n < 501.5", effect: allow }'
    expect(decide(rule, { body: () => ({ n: 501 }) }).kind).toBe('allow')
    expect(decide(rule, { body: () => ({ n: 502 }) }).kind).toBe('deny')
    const more = '  - { name: r, when: body.n > 500, effect: deny }'
    const text = (): unknown => ({ n: '501' })
    expect(decide(more, { body: text }, 'allow')).toMatchObject({ code: 'policy.evaluation-failed' })
  })

  it('tells the hour and the weekday in UTC', () => {
    const rule = '  - { name: r, when: "time.hour == 23 && time.weekday == 0 && time.nowMs > 0", effect: allow }'
    expect(decide(rule, { time: { nowMs: Date.UTC(2026, 0, 4, 23, 59) } }).kind).toBe('allow')
    expect(decide(rule, { time: { nowMs: Date.UTC(2026, 0, 5, 0, 0) } }).kind).toBe('deny')
  })

  it('denies when a number of the input is none', () => {
    const rule = '  - { name: r, when: caller.score < 100, effect: deny }'
    expect(decide(rule, { caller: { score: Number.NaN } }, 'allow')).toMatchObject({ code: 'policy.evaluation-failed' })
  })

  const conditions = [
    "action == 'flights:reserve'",
    "'cars:rent' == action && caller.score > 400",
    "body.missing == 1 && action == 'cars:rent'",
    "action in ['cars:rent', 'flights:reserve'] && body.amount > 100",
    "caller.name == 'acme/desk'",
    'body.missing == 1',
    'true',
  ]
  /** All but the hash, which is another for another text. */
  const facts = (decision: PolicyDecision): unknown =>
    JSON.parse(JSON.stringify(decision).replaceAll(decision.policyHash, '')) as unknown
  const arbitraryRule = fc.record({
    when: fc.constantFrom(...conditions),
    effect: fc.constantFrom('allow', 'deny', 'require_approval', 'warn'),
  })
  it('decides by its index what a scan of all rules decides', () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryRule, { maxLength: 6 }),
        fc.constantFrom('flights:reserve' as const, 'cars:rent' as const, 'hotels:book' as const),
        fc.constantFrom('allow' as const, 'deny' as const),
        (rules, action, fallback) => {
          const text = (wrap: (when: string) => string): string =>
            rules
              .map((r, i) => `  - { name: r${String(i)}, effect: ${r.effect}, when: "${wrap(r.when)}" }`)
              .join('\n') || '  []'
          // `|| false` changes no condition, but hides its actions from the index.
          const scanned = decide(
            text((when) => `(${when}) || false`),
            { action },
            fallback,
          )
          const indexed = decide(
            text((when) => when),
            { action },
            fallback,
          )
          expect(facts(indexed)).toEqual(facts(scanned))
        },
      ),
      { seed: 7, numRuns: 150 },
    )
  })
})
