import { errorCodes, isAgentName, type ErrorCode } from '@parley/protocol'
import { defaultApproval, type ApprovalDemand } from '../approval-demand.ts'
import { compileCondition, compileExpression, type Condition } from '../condition/condition.ts'
import type { NativeScope } from '../condition/native-value.ts'
import { isPolicyEffect, policyEffects, type PolicyEffect } from '../policy-effect.ts'
import { findContradiction } from '../lint/clause-relation.ts'
import type { ReportProblem } from '../policy-problem.ts'
import { compileRewrites } from './compile-rewrites.ts'
import type { DraftRule, RuleKey } from './parse-document.ts'
import type { PolicyRule, RuleScope } from './policy-rule.ts'
import { parseRate, parseSpan, type RuleLimit } from './rule-limit.ts'

/** The rule name that decisions carry when a document's default decided. */
export const defaultRuleName = 'default'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const obligationPattern = /^[a-z0-9][a-z0-9:._-]{0,47}$/
const maxApprovers = 8
const maxPriority = 1_000_000

/** Which effects a key may stand at; keys that are not listed stand at all. */
const effectsOf: Partial<Record<RuleKey, readonly PolicyEffect[]>> = {
  code: ['deny'],
  reason: ['deny', 'require_approval'],
  approvers: ['require_approval'],
  requires: ['require_approval'],
  within: ['require_approval'],
  limit: ['allow', 'require_approval'],
  maxAmount: ['allow', 'require_approval'],
  amountOf: ['allow', 'require_approval'],
  obligations: ['allow', 'require_approval', 'warn', 'log'],
  redact: ['transform'],
  matching: ['transform'],
  with: ['transform'],
  rewrite: ['transform'],
}

/** Compiles one rule. Reports all its mistakes; undefined if it is not even clear what it would do. */
export function compileRule(
  draft: DraftRule,
  writtenIn: string,
  report: ReportProblem,
  positionOf: (offset: number) => PolicyRule['position'],
  scope: NativeScope,
): PolicyRule | undefined {
  const { fields, offset } = draft
  const name = fields.get('name')
  const when = fields.get('when')
  const effect = fields.get('effect')
  if (name === undefined) report(offset, 'the rule has no name')
  else if (!namePattern.test(name.text) || name.text === defaultRuleName) {
    report(name.offset, `the rule name '${name.text}' is not 1 to 63 letters, digits, '.', '_' or '-', or is reserved`)
  }
  if (when === undefined) report(offset, 'the rule has no when: write true for always')
  const kind = effect?.text ?? ''
  if (!isPolicyEffect(kind)) {
    report(effect?.offset ?? offset, `the effect '${kind}' is unknown: there are ${policyEffects.join(', ')}`)
  } else refuseMisplaced(draft, kind, report)
  const condition =
    when &&
    compileCondition(
      when.text,
      (inner, problem) => {
        report(when.locate(inner), problem)
      },
      scope,
    )
  const contradiction = condition && findContradiction(condition)
  if (when && contradiction) {
    const [left, right] = contradiction
    report(when.offset, `the rule can never match: ${left.text} and ${right.text} exclude each other`)
  }
  const code = readCode(draft, report)
  const demand = readDemand(draft, report)
  const limits = readLimits(draft, report)
  const rewrites = compileRewrites(draft, report)
  const obligations = readObligations(draft, report)
  const priority = readWhole(draft, 'priority', -maxPriority, maxPriority, report) ?? 0
  if (name === undefined || condition === undefined || !isPolicyEffect(kind)) return undefined
  return {
    effect: kind,
    demand: kind === 'require_approval' ? demand : undefined,
    allow: { kind: 'allow', rule: name.text },
    isSkippedOnFailure: kind === 'allow',
    name: name.text,
    writtenIn,
    condition,
    position: positionOf(when?.offset ?? offset),
    priority,
    scope: scopeOf(condition),
    code: kind === 'require_approval' ? 'policy.approval-required' : code,
    reason: fields.get('reason')?.text ?? defaultReason(kind, name.text, demand),
    limits,
    obligations,
    rewrites,
  }
}

/** Tells whether a text can name a document or a rule. */
export function isPolicyName(text: string): boolean {
  return namePattern.test(text)
}

function refuseMisplaced({ fields, lists, maps }: DraftRule, effect: PolicyEffect, report: ReportProblem): void {
  for (const [key, effects] of Object.entries(effectsOf) as readonly [RuleKey, readonly PolicyEffect[]][]) {
    if (effects.includes(effect)) continue
    const at = fields.get(key)?.offset ?? lists.get(key)?.[0]?.offset ?? maps.get(key)?.[0]?.[0].offset
    if (at !== undefined) report(at, `${key} stands at a rule whose effect is not ${effects.join(' or ')}`)
  }
}

function readCode({ fields }: DraftRule, report: ReportProblem): ErrorCode {
  const code = fields.get('code')
  if (code === undefined) return 'policy.denied'
  if (isErrorCode(code.text)) return code.text
  report(code.offset, `the code '${code.text}' is unknown`)
  return 'policy.denied'
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text)
}

function readDemand(draft: DraftRule, report: ReportProblem): ApprovalDemand {
  const approvers = draft.lists.get('approvers') ?? []
  for (const approver of approvers) {
    if (!isAgentName(approver.text)) report(approver.offset, `the approver '${approver.text}' is not an agent name`)
  }
  const requires = readWhole(draft, 'requires', 1, maxApprovers, report) ?? defaultApproval.requires
  if (approvers.length > 0 && requires > approvers.length) {
    const at = draft.fields.get('requires')?.offset ?? draft.offset
    report(at, `requires ${String(requires)} of ${String(approvers.length)} approvers: it could never be granted`)
  }
  const within = draft.fields.get('within')
  const forMs = within && parseSpan(within.text)
  if (within && forMs === undefined) report(within.offset, `'${within.text}' is no span: write 30s, 15m, 1h or 2d`)
  return { approvers: approvers.map(({ text }) => text), requires, forMs: forMs ?? defaultApproval.forMs }
}

function readLimits({ fields }: DraftRule, report: ReportProblem): readonly RuleLimit[] {
  const limits: RuleLimit[] = []
  const limit = fields.get('limit')
  const rate = limit && parseRate(limit.text)
  if (rate) limits.push({ ...rate, amount: undefined })
  else if (limit) report(limit.offset, `'${limit.text}' is no limit: write 10/minute, with second, minute, hour or day`)
  const most = fields.get('maxAmount')
  const of = fields.get('amountOf')
  if (!most) {
    if (of) report(of.offset, 'amountOf stands at a rule without maxAmount')
    return limits
  }
  const single = /^\d{1,10}(?:\.\d{1,6})?$/.test(most.text) ? Number(most.text) : undefined
  const bound = parseRate(most.text) ?? (single === undefined ? undefined : { max: single, perMs: undefined })
  if (!bound) report(most.offset, `'${most.text}' is no amount: write 100, or 500/day`)
  const text = of?.text ?? 'body.amount'
  const read = compileExpression(text, true, (inner, problem) => {
    report(of?.locate(inner) ?? most.offset, problem)
  })
  if (bound && read) limits.push({ ...bound, amount: { text, read } })
  return limits
}

function readObligations({ lists }: DraftRule, report: ReportProblem): readonly string[] {
  const obligations = lists.get('obligations') ?? []
  for (const { text, offset } of obligations) {
    if (!obligationPattern.test(text)) {
      report(offset, `the obligation '${text}' is not 1 to 48 of a-z, 0-9, ':', '.', '_' or '-'`)
    }
  }
  return obligations.map(({ text }) => text)
}

function readWhole(
  { fields }: DraftRule,
  key: RuleKey,
  lowest: number,
  highest: number,
  report: ReportProblem,
): number | undefined {
  const field = fields.get(key)
  if (!field) return undefined
  const value = Number(field.text)
  if (Number.isInteger(value) && value >= lowest && value <= highest) return value
  report(field.offset, `${key} is not a whole number from ${String(lowest)} to ${String(highest)}`)
  return undefined
}

/** A rule is about an agent, or an owner, if it cannot hold for any but those that it names. */
function scopeOf({ clauses }: Condition): RuleScope {
  const named = (field: string): boolean =>
    clauses.some(
      ({ index }) =>
        index?.kind === 'equal' && /^(?:caller|callee|peer)\./.test(index.path) && index.path.endsWith(`.${field}`),
    )
  if (named('name') || named('instance')) return 'agent'
  return named('owner') ? 'owner' : 'mesh'
}

function defaultReason(effect: string, name: string, { approvers, requires }: ApprovalDemand): string {
  if (effect !== 'require_approval') return `the rule ${name} denies it`
  const by =
    approvers.length === 0 ? '' : ` by ${requires > 1 ? `${String(requires)} of ` : ''}${approvers.join(' or ')}`
  return `the rule ${name} asks for an approval${by}`
}
