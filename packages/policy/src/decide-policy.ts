import type { ErrorCode } from '@parley/protocol'
import type { ApprovalDemand } from './approval-demand.ts'
import { createHopView, readBody, type HopView } from './condition/hop-view.ts'
import { Failure } from './condition/failure.ts'
import type { EngineAdvice, EngineVerdict } from './engine-verdict.ts'
import { defaultRuleName } from './language/compile-rule.ts'
import { isPolicyDocument } from './language/policy-document.ts'
import { UnreadableRule } from './language/rewrite-document.ts'
import type { PolicyEngine } from './policy-engine.ts'
import type { PolicyInput } from './policy-input.ts'
import type { PolicyLimit } from './policy-limit.ts'
import type { PolicySet } from './policy-set.ts'

/** What is recorded beside a decision: an advisory rule that matched, or a rule that failed without deciding. */
export interface PolicyAdvice extends EngineAdvice {
  readonly document: string
}

/** A limit of one document. */
export interface DocumentLimit extends PolicyLimit {
  readonly document: string
}

/** What one document asks for before the hop may pass. */
export interface DocumentDemand extends ApprovalDemand {
  readonly document: string
  readonly rule: string
}

interface Decided {
  readonly document: string
  /** The rule that decided; `default` is the document's default. */
  readonly rule: string
  readonly policyHash: string
  readonly advice: readonly PolicyAdvice[]
  /** The body that was decided on, where transforms changed it, and the rules that did, as `document#rule`. */
  readonly rewritten?: { readonly rules: readonly string[]; readonly body: unknown }
}

/** The hop may pass, if its limits have something left. */
export interface PolicyAllow extends Decided {
  readonly kind: 'allow'
  readonly limits: readonly DocumentLimit[]
  readonly obligations: readonly string[]
}

/** The hop may not pass. */
export interface PolicyDenial extends Decided {
  readonly kind: 'deny'
  readonly code: ErrorCode
  readonly reason: string
  /** What would let it pass, where the code is `policy.approval-required`; then it passes with `approved`. */
  readonly approval?: { readonly demands: readonly DocumentDemand[]; readonly approved: PolicyAllow }
}

/** The outcome of a policy set for one hop. */
export type PolicyDecision = PolicyAllow | PolicyDenial

const noAdvice: readonly PolicyAdvice[] = []
const noLimits: readonly DocumentLimit[] = []
const noObligations: readonly string[] = []

/**
 * Decides one hop. First every document may change the body; then every document must allow what became of it, and the
 * first that denies is the decision. Where none denies but some ask for an approval, all that they ask for has to be
 * granted. What cannot be evaluated denies with `policy.evaluation-failed`. Pure: limits are told, not taken from.
 */
export function decidePolicy(set: PolicySet, input: PolicyInput): PolicyDecision {
  const { policyHash } = set
  let view = createHopView(input)
  let rewritten: Decided['rewritten']
  if (set.transforms.length > 0) {
    const made = applyTransforms(set.transforms, view)
    if (made.kind === 'deny') return { ...made, policyHash, advice: noAdvice }
    if (made.rewritten) {
      rewritten = made.rewritten
      view = made.view
    }
  }
  const gathered = gather(set, view)
  const { advice, allowedBy, denial, demands, limits, obligations } = gathered
  const common = { policyHash, advice, ...(rewritten ? { rewritten } : {}) }
  if (denial) return { kind: 'deny', ...denial, ...common }
  if (allowedBy === undefined && demands === undefined) {
    const reason = 'no rule of any document allows it'
    return { kind: 'deny', code: 'policy.denied', reason, document: '', rule: '', ...common }
  }
  const [asked] = demands ?? []
  const { document, rule } = allowedBy ?? asked ?? { document: '', rule: '' }
  const allow: PolicyAllow = { kind: 'allow', document, rule, limits, obligations, ...common }
  if (!asked || !demands) return allow
  const { document: by, rule: asking, reason } = asked
  const approval = { demands: demands.map(({ reason: _reason, ...demand }) => demand), approved: allow }
  return { kind: 'deny', code: 'policy.approval-required', reason, document: by, rule: asking, approval, ...common }
}

type Denial = Pick<PolicyDenial, 'document' | 'rule' | 'code' | 'reason'>

interface Gathered {
  advice: readonly PolicyAdvice[]
  limits: readonly DocumentLimit[]
  obligations: readonly string[]
  allowedBy?: { readonly document: string; readonly rule: string }
  denial?: Denial
  demands?: (DocumentDemand & { readonly reason: string })[]
}

function gather({ documents }: PolicySet, view: HopView): Gathered {
  const gathered: Gathered = { advice: noAdvice, limits: noLimits, obligations: noObligations }
  for (const engine of documents) {
    const verdict = judge(engine, view)
    const document = engine.name
    if (verdict.advice?.length) {
      gathered.advice = [...gathered.advice, ...verdict.advice.map((advice) => ({ document, ...advice }))]
    }
    if (verdict.kind === 'deny') {
      const { rule, code, reason } = verdict
      gathered.denial = { document, rule, code, reason }
      return gathered
    }
    if (verdict.limits?.length) {
      gathered.limits = [...gathered.limits, ...verdict.limits.map((limit) => ({ document, ...limit }))]
    }
    if (verdict.obligations?.length) {
      gathered.obligations = [...new Set([...gathered.obligations, ...verdict.obligations])]
    }
    if (verdict.kind === 'require_approval') {
      const { rule, reason, demand } = verdict
      ;(gathered.demands ??= []).push({ document, rule, reason, ...demand })
    } else if (verdict.rule !== defaultRuleName) gathered.allowedBy = { document, rule: verdict.rule }
  }
  return gathered
}

function judge(engine: PolicyEngine, view: HopView): EngineVerdict {
  try {
    return isPolicyDocument(engine) ? engine.judge(view) : engine.decide(inputOf(view))
  } catch {
    return { kind: 'deny', rule: '', code: 'policy.evaluation-failed', reason: `${engine.name} could not decide` }
  }
}

/** The input with a body that is parsed once for all engines. */
function inputOf(view: HopView): PolicyInput {
  return { ...view.input, body: () => bodyOf(view) }
}

function bodyOf(view: HopView): unknown {
  const body = readBody(view)
  if (body instanceof Failure) throw new TypeError(body.problem)
  return body
}

interface Transformed {
  readonly kind: 'transformed'
  readonly view: HopView
  readonly rewritten?: NonNullable<Decided['rewritten']>
}

function applyTransforms(
  engines: readonly PolicyEngine[],
  first: HopView,
): Transformed | (Denial & { readonly kind: 'deny' }) {
  const rules: string[] = []
  let view = first
  let body: unknown
  for (const engine of engines) {
    try {
      const made = isPolicyDocument(engine) ? engine.rewrite(view) : foreign(engine, view)
      if (!made) continue
      rules.push(...made.rules.map((rule) => `${engine.name}#${rule}`))
      ;({ body } = made)
      const changed = body
      view = createHopView({ ...view.input, body: () => changed })
    } catch (error) {
      const rule = error instanceof UnreadableRule ? error.rule : ''
      const reason = error instanceof UnreadableRule ? error.message : `${engine.name} could not transform the body`
      return { kind: 'deny', document: engine.name, rule, code: 'policy.evaluation-failed', reason }
    }
  }
  return { kind: 'transformed', view, ...(rules.length > 0 ? { rewritten: { rules, body } } : {}) }
}

function foreign(
  engine: PolicyEngine,
  view: HopView,
): { readonly rules: readonly string[]; readonly body: unknown } | undefined {
  const made = engine.transform?.(inputOf(view))
  return made && { rules: [made.rule], body: made.body }
}
