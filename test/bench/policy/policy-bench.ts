import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Bench, BenchOptions, BenchResult, BenchRow, BenchTarget } from '../bench.ts'
import { round2 } from '../envelope/measure-step.ts'
import { createCedarDecider } from './cedar-decider.ts'
import type { Decider } from './decider.ts'
import { measureRates, measureTail } from './measure-decider.ts'
import { scanRules } from './naive-scan.ts'
import { createParleyDecider } from './parley-decider.ts'
import { createRules, drawInputs, type BenchRule, type RuleSetKind } from './rule-set.ts'
import { createToolkitDecider } from './toolkit-decider.ts'

const seed = 4
const sizes = [1, 10, 100, 1_000, 10_000]
const kinds: readonly RuleSetKind[] = ['mixed', 'prefix', 'numeric']
const checkedInputs = 100_000
const measuredInputs = 20_000
const tailDecisions = 200_000
const growthDecisions = 1_000_000
/** The share of a round that one engine gets for one set. */
const roundShare = 0.1

const minToToolkit = 100
const minToCedar = 20
const maxMoreUs = 1
const maxGrowthBytes = 1024 * 1024

/** Policy decisions against the toolkit's rich engine and preparsed Cedar. */
export const policyBench: Bench = {
  name: 'policy',
  about:
    'whole decisions a second of processor time, one thread: a hop input object to a decision with its rule, sets of 1 to 10,000 rules, seeded; ours with the two built-in documents beside; first 100,000 inputs are held against a naive scan. Loading is not measured',
  libraries: ['@microsoft/agent-governance-sdk', '@cedar-policy/cedar-wasm'],
  defaultRounds: 5,
  inFlight: [1],
  async run(options) {
    const rows: BenchRow[] = []
    for (const kind of kinds) for (const size of sizes) rows.push(...measureSet(kind, size, options))
    return Promise.resolve(withTargets(rows, measureGrowth()))
  },
}

function measureSet(kind: RuleSetKind, size: number, options: BenchOptions): readonly BenchRow[] {
  const rules = createRules(kind, size)
  const ours = createParleyDecider(rules)
  options.log(`${kind} ${String(size)}: equality`)
  checkEquality(ours, rules)
  const peers = kind === 'mixed' ? [createToolkitDecider(rules), createCedarDecider(rules)] : []
  const deciders = [ours, ...peers].filter(({ name }) => options.only.length === 0 || options.only.includes(name))
  const inputs = drawInputs(rules, measuredInputs, seed)
  const prepared = new Map(deciders.map((decider) => [decider, inputs.map((input) => decider.prepare(input))]))
  for (const decider of deciders) checkVerdicts(decider, rules)
  options.log(`${kind} ${String(size)}: rates`)
  const rates = measureRates(deciders, prepared, { rounds: options.rounds, roundMs: options.roundMs * roundShare })
  const own = rates.get(ours)?.perSecond
  return deciders.map((decider) => {
    const { perSecond = 0, us = 0 } = rates.get(decider) ?? {}
    return {
      set: kind,
      rules: size,
      engine: decider.name,
      perSecond: Math.round(perSecond),
      us: round2(us),
      ...(decider === ours
        ? { p999Us: round2(measureTail(ours, prepared.get(ours) ?? [], tailDecisions)) }
        : own === undefined
          ? {}
          : { 'parley is faster': round2(own / perSecond) }),
    }
  })
}

function checkEquality(decider: Decider, rules: readonly BenchRule[]): void {
  for (const input of drawInputs(rules, checkedInputs, seed + 1)) {
    const expected = scanRules(rules, input)
    const found = decider.read(decider.decide(decider.prepare(input)))
    if (found !== expected) throw new Error(`${JSON.stringify(input)}: ${found}, but a scan says ${expected}`)
  }
}

/** Of the peers it is only asked that they do the same work: allow what a scan allows. */
function checkVerdicts(decider: Decider, rules: readonly BenchRule[]): void {
  for (const input of drawInputs(rules, 50, seed + 2)) {
    const [expected = ''] = scanRules(rules, input).split(' ')
    const found = decider.read(decider.decide(decider.prepare(input)))
    if (!found.startsWith(expected)) throw new Error(`${decider.name}: ${found}, but a scan says ${expected}`)
  }
}

/** Bytes that are held after a million decisions more than before. */
function measureGrowth(): number {
  const rules = createRules('mixed', 100)
  const ours = createParleyDecider(rules)
  const inputs = drawInputs(rules, measuredInputs, seed).map((input) => ours.prepare(input))
  const decideAll = (count: number): void => {
    for (let at = 0; at < count; at++) ours.decide(inputs[at % inputs.length])
  }
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  decideAll(growthDecisions / 10)
  collect()
  const before = process.memoryUsage().heapUsed
  decideAll(growthDecisions)
  collect()
  return process.memoryUsage().heapUsed - before
}

function withTargets(rows: readonly BenchRow[], growthBytes: number): BenchResult {
  const find = (engine: string, rules: number, field: string): number | undefined => {
    const row = rows.find((each) => each['set'] === 'mixed' && each['engine'] === engine && each['rules'] === rules)
    const value = row?.[field]
    return typeof value === 'number' ? value : undefined
  }
  const targets: BenchTarget[] = []
  const atLeast = (name: string, value: number | undefined, target: number): void => {
    if (value !== undefined) targets.push({ name, value, target, holds: value >= target })
  }
  const atMost = (name: string, value: number | undefined, target: number): void => {
    if (value !== undefined) targets.push({ name, value: round2(value), target, holds: value <= target })
  }
  const faster = 'parley is faster'
  atLeast('times the toolkit, 100 mixed rules', find('agent-governance-sdk', 100, faster), minToToolkit)
  atLeast('times preparsed Cedar, 100 mixed rules', find('cedar-wasm', 100, faster), minToCedar)
  const few = find('parley', 10, 'us')
  const many = find('parley', 10_000, 'us')
  atMost(
    'µs more with 10,000 rules than with 10',
    few === undefined || many === undefined ? undefined : many - few,
    maxMoreUs,
  )
  atMost('bytes held more after a million decisions', growthBytes, maxGrowthBytes)
  return { rows, targets }
}
