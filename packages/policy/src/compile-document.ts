import { errorCodes, isAgentName, type ErrorCode } from '@parley/protocol'
import { compileCondition } from './condition.ts'
import { parseDocument, type DraftDocument, type DraftRule } from './parse-document.ts'
import type { PolicyDocument } from './policy-document.ts'
import { isPolicyEffect, policyEffects } from './policy-effect.ts'
import type { PolicyProblem } from './policy-problem.ts'
import type { PolicyRule } from './policy-rule.ts'
import type { PolicySource } from './policy-source.ts'
import { createRuleIndex } from './rule-index.ts'

/** The rule name that decisions carry when a document's default decided. */
export const defaultRuleName = 'default'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const builtInPattern = /^parley:[a-z-]{1,40}$/

/** Compiles one document. Appends all its mistakes to `problems`; what it returns is only good if there was none. */
export function compileDocument(source: PolicySource, problems: PolicyProblem[]): PolicyDocument | undefined {
  const draft = parseDocument(source, problems)
  if (draft === undefined) return undefined
  const { fields, report } = draft
  const apiVersion = fields.get('apiVersion')
  if (apiVersion?.text !== 'parley/v1') report(apiVersion?.offset ?? 0, 'apiVersion is not parley/v1')
  const name = fields.get('name')?.text ?? nameOfFile(source.file)
  if (!namePattern.test(name) && !builtInPattern.test(name)) {
    report(fields.get('name')?.offset ?? 0, `the name '${name}' is not 1 to 63 letters, digits, '.', '_' or '-'`)
  }
  const fallback = fields.get('default')
  if (fallback?.text !== 'allow' && fallback?.text !== 'deny') {
    report(fallback?.offset ?? 0, 'default is neither allow nor deny: say what holds when no rule decides')
  }
  const rules = compileRules(draft)
  const having = (...effects: readonly string[]): readonly PolicyRule[] =>
    rules.filter((rule) => effects.includes(rule.effect))
  return {
    name,
    file: source.file,
    text: source.text,
    default: fallback?.text === 'allow' ? 'allow' : 'deny',
    rules,
    indexes: {
      advice: createRuleIndex(having('warn', 'log')),
      deny: createRuleIndex(having('deny')),
      approval: createRuleIndex(having('require_approval')),
      allow: createRuleIndex(having('allow')),
    },
  }
}

function compileRules(draft: DraftDocument): readonly PolicyRule[] {
  const seen = new Set<string>()
  return draft.rules.flatMap((rule) => {
    const name = rule.fields.get('name')
    if (name !== undefined && seen.has(name.text)) draft.report(name.offset, `a second rule is named ${name.text}`)
    if (name !== undefined) seen.add(name.text)
    return compileRule(rule, draft)
  })
}

function compileRule(draft: DraftRule, { report }: DraftDocument): readonly PolicyRule[] {
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
  const effectIsKnown = isPolicyEffect(kind)
  if (!effectIsKnown) {
    report(effect?.offset ?? offset, `the effect '${kind}' is unknown: there are ${policyEffects.join(', ')}`)
  }
  const code = compileCode(draft, kind, report)
  if (draft.approvers !== undefined && kind !== 'require_approval') {
    report(offset, 'approvers stands at a rule whose effect is not require_approval')
  }
  for (const approver of draft.approvers ?? []) {
    if (!isAgentName(approver.text)) report(approver.offset, `the approver '${approver.text}' is not an agent name`)
  }
  const condition =
    when &&
    compileCondition(when.text, (inner, problem) => {
      report(when.locate(inner), problem)
    })
  if (name === undefined || condition === undefined || !effectIsKnown) return []
  const approvers = (draft.approvers ?? []).map(({ text }) => text)
  const reason = fields.get('reason')?.text ?? defaultReason(kind, name.text, approvers)
  return [{ name: name.text, effect: kind, condition, code, reason, approvers }]
}

function compileCode(draft: DraftRule, effect: string, report: DraftDocument['report']): ErrorCode {
  const code = draft.fields.get('code')
  if (code !== undefined && effect !== 'deny') report(code.offset, 'code stands at a rule whose effect is not deny')
  if (code !== undefined && !isErrorCode(code.text)) report(code.offset, `the code '${code.text}' is unknown`)
  if (code !== undefined && isErrorCode(code.text)) return code.text
  return effect === 'require_approval' ? 'policy.approval-required' : 'policy.denied'
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text)
}

function defaultReason(effect: string, name: string, approvers: readonly string[]): string {
  if (effect !== 'require_approval') return `the rule ${name} denies it`
  return `the rule ${name} asks for an approval${approvers.length === 0 ? '' : ` by ${approvers.join(' or ')}`}`
}

function nameOfFile(file: string): string {
  const last = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1)
  return last.replace(/\.ya?ml$/, '')
}
