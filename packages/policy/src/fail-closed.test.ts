import { describe, expect, it } from 'vitest'
import { decidePolicy } from './decide-policy.ts'
import type { PolicyEngine } from './policy-engine.ts'
import { documentOf, hopOf, type HopChanges } from './policy-input.fixture.ts'
import { compilePolicy, type PolicyPart } from './policy-set.ts'

const broken = (): never => {
  throw new Error('broken')
}
const engine: PolicyEngine = {
  name: 'engine',
  language: 'test',
  file: 'engine',
  hash: 'h',
  rules: [],
  decide: () => ({ kind: 'allow', rule: 'yes' }),
}
const allowing: PolicyPart = { file: 'all.yaml', text: documentOf('  - { name: all, when: "true", effect: allow }') }
const withRule = (rule: string): PolicyPart => ({
  file: 'r.yaml',
  text: documentOf(`  - ${rule}`, { name: 'r', default: 'allow' }),
})

describe('the way to a decision', () => {
  it.each<readonly [string, readonly PolicyPart[], HopChanges]>([
    ['an engine', [{ ...engine, decide: broken }], {}],
    ['the transform of an engine', [{ ...engine, transform: broken }], {}],
    ['the body, for a deny', [withRule('{ name: d, when: body.x == 1, effect: deny }')], { body: broken }],
    [
      'the body, for a transform',
      [withRule('{ name: t, when: "true", effect: transform, redact: [body.x] }')],
      { body: broken },
    ],
    [
      'the body, for a limit',
      [withRule('{ name: l, when: body.x == 1, effect: allow, limit: 1/day }')],
      { body: broken },
    ],
    [
      'the body, for an obligation',
      [withRule('{ name: o, when: body.x == 1, effect: log, obligations: [x] }')],
      { body: broken },
    ],
    ['the objective', [withRule('{ name: d, when: objective.budgetLeft < 0.5, effect: deny }')], { objective: broken }],
    [
      'an amount',
      [withRule('{ name: a, when: "true", effect: allow, maxAmount: 5 }')],
      { body: () => ({ amount: '4' }) },
    ],
    ['a score', [withRule('{ name: d, when: caller.score < 5, effect: deny }')], { caller: { score: Number.NaN } }],
    [
      'a clause that the library evaluates',
      [withRule('{ name: d, when: int(body.x) + 1 > 5, effect: deny }')],
      { body: broken },
    ],
  ])('denies where %s breaks', (_title, parts, changes) => {
    const intact = decidePolicy(compilePolicy([allowing, engine]), hopOf())
    expect(intact.kind).toBe('allow')
    expect(decidePolicy(compilePolicy([allowing, ...parts]), hopOf(changes))).toMatchObject({
      kind: 'deny',
      code: 'policy.evaluation-failed',
    })
  })

  it('refuses a document of ten megabytes and one of aliases of aliases, by their size and their place', () => {
    const load = (text: string): string => {
      try {
        compilePolicy([{ file: 'bad.yaml', text }])
        return 'loaded'
      } catch (error) {
        return error instanceof Error ? error.message : ''
      }
    }
    expect(load(documentOf(`  # ${'x'.repeat(10 * 1024 * 1024)}`))).toContain('larger than')
    const bomb = Array.from(
      { length: 12 },
      (_, at) => `b${String(at)}: &b${String(at)} [${at === 0 ? 'x' : `*b${String(at - 1)}, *b${String(at - 1)}`}]`,
    )
    expect(load(bomb.join('\n'))).toMatch(/bad\.yaml:2:\d+: the alias \*b0 is refused/)
    expect(load(documentOf("  - { name: r, effect: allow, when: action === 'a:b' }"))).toContain('does not parse')
  })
})
