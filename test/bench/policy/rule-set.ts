import { createSeededRandom, type Random } from '@parley/ports'

/** Which clauses the rules of a set have. */
export type RuleSetKind = 'mixed' | 'prefix' | 'numeric'

/** One rule, as data that every contestant writes in its own language. What is undefined is not tested. */
export interface BenchRule {
  readonly name: string
  readonly action: string | undefined
  /** `r3`: the resource starts with it and a slash. */
  readonly prefix: string | undefined
  readonly lowestScore: number | undefined
  readonly isDeny: boolean
}

/** What is asked. */
export interface BenchInput {
  readonly action: string
  readonly resource: string
  readonly score: number
}

/** Makes `count` rules. Of mixed ones, rule i tests the action a<i>, a prefix r<i % 7>/ and a score from 300 to 799. */
export function createRules(kind: RuleSetKind, count: number): readonly BenchRule[] {
  return Array.from({ length: count }, (_, at) => ({
    name: `rule-${String(at)}`,
    action: kind === 'mixed' ? `a${String(at)}` : undefined,
    prefix: kind === 'mixed' ? `r${String(at % 7)}` : kind === 'prefix' ? `r${String(at)}` : undefined,
    lowestScore: kind === 'prefix' ? undefined : 300 + (at % 500),
    isDeny: at % 10 === 9,
  }))
}

/** Draws inputs over all rules; about half match the rule that they are drawn for. */
export function drawInputs(rules: readonly BenchRule[], count: number, seed: number): readonly BenchInput[] {
  const random = createSeededRandom(seed)
  return Array.from({ length: count }, () => {
    const rule = rules[below(random, rules.length)]
    const matches = below(random, 2) === 0
    const isWrongScore = !matches && (rule?.prefix === undefined || below(random, 2) === 0)
    const prefix = matches || isWrongScore || rule?.prefix === undefined ? (rule?.prefix ?? 'r0') : 'other'
    const score = isWrongScore && rule?.lowestScore !== undefined ? below(random, 300) : 800 + below(random, 200)
    const resource = isWrongScore && rule?.lowestScore === undefined ? 'other/x' : `${prefix}/x`
    return { action: rule?.action ?? 'a0', resource, score }
  })
}

function below(random: Random, limit: number): number {
  const [a = 0, b = 0, c = 0] = random.bytes(3)
  return ((a << 16) | (b << 8) | c) % limit
}
