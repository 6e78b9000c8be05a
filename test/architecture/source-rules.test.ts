import { describe, expect, it } from 'vitest'
import { parseSource, readSource } from './parsed-source.ts'
import {
  findAny,
  findEmptyCatches,
  findFocused,
  findHostReadings,
  findIndexFaults,
  findSleeps,
  findSuppressions,
  findUnexplainedSkips,
  type SourceRule,
} from './source-rules.ts'
import { layerOf } from './layers.ts'
import { isTest, listSources } from './source-tree.ts'

const sources = listSources()
const tests = sources.filter((path) => path.endsWith('.test.ts'))
const sleepless = tests.filter((path) => !path.startsWith('test/nats/') && !path.startsWith('test/chaos/'))
const judging = sources.filter(
  (path) =>
    path.startsWith('packages/') &&
    !isTest(path) &&
    !path.includes('/cli/') &&
    (layerOf(path.split('/')[1] ?? '') ?? 0) >= 2,
)
const indexes = sources.filter((path) => path.endsWith('/src/index.ts'))

interface RuleCase {
  readonly name: string
  readonly rule: SourceRule
  readonly paths: readonly string[]
  /** Text that breaks the rule, by what it shows. */
  readonly bad: readonly string[]
  readonly good: readonly string[]
}

// The comment marks are put together here, so that this file does not hold what it forbids.
const mark = '//'
const cases: readonly RuleCase[] = [
  {
    name: 'no catch is empty',
    rule: findEmptyCatches,
    paths: sources,
    bad: ['try { f() } catch { /* fine */ }', 'try { f() } catch (error) {}', 'p.catch(() => {})'],
    good: ['try { f() } catch (error) { log(error) }', 'p.catch(log)', 'p.catch(() => undefined)'],
  },
  {
    name: 'nothing is any',
    rule: findAny,
    paths: sources,
    bad: ['let x: any', 'f(x as any)', 'type T = Array<any>'],
    good: ['let any: unknown', "const text = 'any'"],
  },
  {
    name: 'no comment silences a tool or puts work off',
    rule: findSuppressions,
    paths: sources,
    bad: [`${mark} @ts-ignore`, `${mark} oxlint-disable-next-line`, `${mark} TODO later`, '/* eslint-disable */'],
    good: [`${mark} The list of things to do is empty.`, "const text = '@ts-ignore'"],
  },
  {
    name: 'no test sleeps',
    rule: findSleeps,
    paths: sleepless,
    bad: [
      'await new Promise((resolve) => setTimeout(resolve, 5))',
      "import { setTimeout as wait } from 'node:timers/promises'",
      'globalThis.setInterval(f, 1)',
    ],
    good: ['clock.setTimer(f, 5)', 'await clock.advance(5)'],
  },
  {
    name: 'time and randomness come from ports in layers 2 and up',
    rule: findHostReadings,
    paths: judging,
    bad: ['const now = Date.now()', 'f(Date.now)', 'new Date()', 'Math.random()', 'performance.now()'],
    good: ['clock.now()', 'new Date(atMs).toISOString()', 'random.float()', 'Math.round(1.5)'],
  },
  {
    name: 'a test that is left out says why',
    rule: findUnexplainedSkips,
    paths: tests,
    bad: [
      "it.skip('works', f)",
      "it.skipIf(slow)('works', f)",
      "describe.runIf(fast)('works', f)",
      "it.todo('works')",
      'it("x", (context) => context.skip())',
    ],
    good: [
      "it.skip('works (until nats-server 3)', f)",
      "it.skipIf(!binary)('works (needs a nats-server)', f)",
      "it('x', (context) => context.skip(missing, 'needs a nats-server'))",
      "it('works', f)",
    ],
  },
  {
    name: 'no test runs alone',
    rule: findFocused,
    paths: tests,
    bad: ["it.only('x', f)", "describe.only('x', f)"],
    good: ["it('only x', f)"],
  },
  {
    name: 'an index exports by name and nothing else',
    rule: findIndexFaults,
    paths: indexes,
    bad: [
      "export * from './a.ts'",
      'export const a = 1',
      'export default 1',
      "import './a.ts'",
      'const a = 1\nexport { a }',
    ],
    good: ["export { a, type B } from './a.ts'", "export type { B } from './b.ts'", 'export {}'],
  },
]

describe.each(cases)('$name', ({ rule, paths, bad, good }) => {
  it('in the whole tree', () => {
    expect(paths.flatMap((path) => rule(readSource(path)))).toEqual([])
  })

  it.each(bad)('refuses %s', (text) => {
    expect(rule(parseSource('sample.ts', text))).not.toEqual([])
  })

  it.each(good)('lets pass %s', (text) => {
    expect(rule(parseSource('sample.ts', text))).toEqual([])
  })
})
