import { describe, expect, it } from 'vitest'
import { explainPolicy } from './explain-policy.ts'
import { documentOf, hopOf } from './policy-input.fixture.ts'
import { compilePolicy } from './policy-set.ts'

describe('explainPolicy', () => {
  it('says of every rule whether it matched and which clause was false', () => {
    const text = documentOf(
      [
        "  - { name: cars, when: action == 'cars:rent', effect: allow }",
        "  - { name: desk, when: \"action == 'flights:reserve' && (body.to == 'SFO' || body.to == 'LIS') && true\", effect: allow }",
        '  - { name: broken, when: body.missing == 1, effect: warn }',
        "  - { name: zurich, when: body.to == 'ZRH', effect: allow }",
      ].join('\n'),
    )
    const { decision, rules } = explainPolicy(compilePolicy([{ file: 'a.yaml', text }]), hopOf())
    expect(decision).toMatchObject({ kind: 'allow', rule: 'zurich' })
    expect(rules.filter(({ document }) => document === 'test')).toEqual([
      {
        document: 'test',
        rule: 'cars',
        effect: 'allow',
        result: 'not-matched',
        because: "action == 'cars:rent'",
        held: 0,
      },
      {
        document: 'test',
        rule: 'desk',
        effect: 'allow',
        result: 'not-matched',
        because: expect.stringContaining("body.to == 'SFO' || body.to == 'LIS'") as string,
        held: 1,
      },
      { document: 'test', rule: 'broken', effect: 'warn', result: 'failed', because: 'no_such_key in body.missing' },
      { document: 'test', rule: 'zurich', effect: 'allow', result: 'matched' },
    ])
    expect(rules[0]).toEqual({
      document: 'parley:credentials-only',
      rule: 'both-credentials-grant',
      effect: 'allow',
      result: 'matched',
    })
  })
})
