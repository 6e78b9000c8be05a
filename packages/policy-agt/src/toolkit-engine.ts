import {
  defaultApproval,
  type EngineAdvice,
  type EngineDeny,
  type EngineVerdict,
  type PolicyEngine,
  type PolicyInput,
  type PolicyLimit,
  type RuleExplanation,
} from '@parley/policy'
import { ownAgentName, wordMeansAgent } from './agent-word.ts'
import { namesOfCapability } from './capability-word.ts'
import type { ToolkitFacts } from './condition/condition-subject.ts'
import type { ToolkitRule } from './toolkit-rule.ts'

/** A compiled document of the form `governance.toolkit/v1`. */
export interface ToolkitDocument {
  readonly name: string
  readonly file: string
  readonly hash: string
  readonly default: 'allow' | 'deny'
  /** The agents that it speaks of; undefined if of all. */
  readonly agents: readonly string[] | undefined
  /** In the order in which they are asked; the first that matches decides. */
  readonly rules: readonly ToolkitRule[]
}

/** The rule name of verdicts by a document's default, as everywhere. */
const defaultRule = 'default'

/** How many actions the index remembers; a node serves and calls far fewer. */
const maxIndexed = 1_024

/** Says nothing: whether the hop may pass is for the other documents. */
const silent: EngineVerdict = { kind: 'allow', rule: defaultRule }

/**
 * Makes an engine of a compiled document.
 *
 * I1 It speaks of what an agent does: undo and lookup of a saga step, which the toolkit does not know, pass it, so that
 *    what was allowed can be taken back.
 * I2 It is silent about agents that it does not name.
 * I3 A `deny` or `require_approval` that cannot be decided denies; an `allow` that cannot be decided does not allow.
 */
export function createToolkitEngine(document: ToolkitDocument): PolicyEngine {
  const find = indexRules(document.rules)
  return {
    name: document.name,
    language: 'governance.toolkit/v1',
    file: document.file,
    hash: document.hash,
    rules: document.rules.map(({ name }) => name),
    decide: (input) => (speaksOf(document, input) ? decide(document, find(input.action), input) : silent),
    explain: (input) => (speaksOf(document, input) ? explain(document, input) : []),
  }
}

function speaksOf({ agents }: ToolkitDocument, { phase, caller }: PolicyInput): boolean {
  return phase === 'do' && (agents === undefined || agents.some((word) => wordMeansAgent(word, caller.name)))
}

function decide(document: ToolkitDocument, rules: readonly ToolkitRule[], input: PolicyInput): EngineVerdict {
  const facts = createFacts(input)
  const advice: EngineAdvice[] = []
  const limits: PolicyLimit[] = []
  let decided: ToolkitRule | undefined
  let undecided: EngineDeny | undefined
  for (const rule of rules) {
    const isAdvice = rule.action === 'warn' || rule.action === 'log'
    if ((decided !== undefined && !isAdvice) || !isAsked(rule, input)) continue
    const truth = rule.condition.evaluate(facts)
    if (truth === false) continue
    if (truth !== true) {
      advice.push({ rule: rule.name, effect: rule.action, failed: truth.problem })
      if (isAdvice) continue
      const failed = failedBy(rule, truth.problem)
      if (rule.action !== 'allow') return { ...failed, advice }
      undecided ??= failed
      continue
    }
    if (isAdvice) advice.push({ rule: rule.name, effect: rule.action })
    else decided = rule
    if (rule.limit !== undefined) limits.push({ rule: rule.name, ...rule.limit, take: 1, isShared: true })
  }
  if (decided !== undefined) return { ...verdictOf(decided, input, limits), advice }
  if (document.default === 'allow') return { kind: 'allow', rule: defaultRule, limits, advice }
  const reason = `no rule of the document ${document.name} allows ${input.action}`
  return { ...(undecided ?? { kind: 'deny', rule: defaultRule, code: 'policy.denied', reason }), advice }
}

function failedBy({ name }: ToolkitRule, problem: string): EngineDeny {
  const reason = `the rule ${name} could not be evaluated: ${problem}`
  return { kind: 'deny', rule: name, code: 'policy.evaluation-failed', reason }
}

function verdictOf(rule: ToolkitRule, input: PolicyInput, limits: readonly PolicyLimit[]): EngineVerdict {
  const { name, reason } = rule
  if (rule.action === 'allow') return { kind: 'allow', rule: name, limits }
  if (rule.action === 'deny') return { kind: 'deny', rule: name, code: 'policy.denied', reason }
  const own = input.direction === 'inbound' ? input.callee : input.caller
  const approvers = rule.approvers.map((word) => ownAgentName(word, own.name))
  return { kind: 'require_approval', rule: name, reason, demand: { ...defaultApproval, approvers }, limits }
}

/** Before input is taken in there is only one side that takes it in; before a call there are two that decide. */
function isAsked({ stage }: ToolkitRule, { direction }: PolicyInput): boolean {
  return stage === 'pre_tool' || direction === 'inbound'
}

function explain(document: ToolkitDocument, input: PolicyInput): readonly RuleExplanation[] {
  const facts = createFacts(input)
  return document.rules.map((rule): RuleExplanation => {
    const said = { document: document.name, rule: rule.name, effect: rule.action }
    if (!isAsked(rule, input)) return { ...said, result: 'not-matched', because: `the stage ${rule.stage}` }
    const truth = rule.condition.evaluate(facts)
    if (truth === true) return { ...said, result: 'matched' }
    if (truth !== false) return { ...said, result: 'failed', because: truth.problem }
    const clause = rule.condition.firstFalse(facts)
    return { ...said, result: 'not-matched', ...(clause !== undefined && { because: clause }) }
  })
}

function createFacts(input: PolicyInput): ToolkitFacts {
  let read: { readonly value: unknown } | { readonly error: unknown } | undefined
  return {
    input,
    body() {
      read ??= readOnce(input)
      if ('error' in read) throw read.error
      return read.value
    },
  }
}

function readOnce(input: PolicyInput): { readonly value: unknown } | { readonly error: unknown } {
  try {
    return { value: input.body() }
  } catch (error) {
    return { error }
  }
}

/** Finds the rules that can hold for an action, in their order: a rule that names other actions costs nothing. */
function indexRules(rules: readonly ToolkitRule[]): (action: string) => readonly ToolkitRule[] {
  const byWord = new Map<string, number[]>()
  const scanned: number[] = []
  for (const [place, { condition }] of rules.entries()) {
    if (condition.actions === undefined) scanned.push(place)
    for (const word of new Set(condition.actions)) {
      const places = byWord.get(word)
      if (places === undefined) byWord.set(word, [place])
      else places.push(place)
    }
  }
  const found = new Map<string, readonly ToolkitRule[]>()
  return (action) => {
    const known = found.get(action)
    if (known !== undefined) return known
    const { capability, dotted, operation } = namesOfCapability(action)
    const places = new Set([...scanned, ...[capability, dotted, operation].flatMap((word) => byWord.get(word) ?? [])])
    const list = rules.filter((_, place) => places.has(place))
    if (found.size >= maxIndexed) found.clear()
    found.set(action, list)
    return list
  }
}
