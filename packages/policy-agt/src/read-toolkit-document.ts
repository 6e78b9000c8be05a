import type { PolicyProblem, PolicySource, ReportProblem } from '@parley/policy'
import { isAgentWord } from './agent-word.ts'
import { always, compileToolkitCondition } from './condition/toolkit-condition.ts'
import { parseRateLimit, type RateLimit } from './rate-limit.ts'
import {
  toolkitActions,
  toolkitScopes,
  type ToolkitAction,
  type ToolkitRule,
  type ToolkitScope,
  type ToolkitStage,
} from './toolkit-rule.ts'
import { openDocument, type PlacedText, type YamlFields } from './yaml-fields.ts'

/** A document that was read: what it says for itself, without its parents. */
export interface ToolkitDraft {
  readonly name: string
  readonly text: string
  readonly default: 'allow' | 'deny'
  readonly agents: readonly string[] | undefined
  readonly rules: readonly ToolkitRule[]
  readonly ruleNames: readonly { readonly name: string; readonly offset: number }[]
  /** The documents that it extends, as they are written there. */
  readonly parents: readonly PlacedText[]
  readonly report: ReportProblem
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const apiVersion = 'governance.toolkit/v1'

/** Reads one document of the form `governance.toolkit/v1`; appends every mistake to `problems` with its position. */
export function readToolkitDocument(source: PolicySource, problems: PolicyProblem[]): ToolkitDraft | undefined {
  const opened = openDocument(source, problems)
  if (opened === undefined) return undefined
  const { root, report } = opened
  const version = root.text('apiVersion')
  if (version?.text !== apiVersion) report(version?.offset ?? root.offset, `apiVersion is not ${apiVersion}`)
  const name = readName(root, 'the document', report)
  const scope = readWord(root, 'scope', toolkitScopes, report) ?? 'global'
  const fallback = readWord(root, 'default_action', ['allow', 'deny'] as const, report) ?? 'deny'
  const agents = readAgents(root, report)
  const parents = root.texts('extends') ?? []
  root.ignore('version', 'description', 'metadata', 'created_at', 'updated_at')
  const drafts = root.maps('rules') ?? []
  root.close()
  const ruleNames: { name: string; offset: number }[] = []
  const rules = drafts.flatMap((fields) => {
    const rule = readRule(fields, scope, report)
    if (rule === undefined) return []
    ruleNames.push({ name: rule.name, offset: fields.offset })
    return rule.enabled ? [rule.rule] : []
  })
  if (name === undefined) return undefined
  return { name, text: source.text, default: fallback, agents, rules, ruleNames, parents, report }
}

function readRule(
  fields: YamlFields,
  scope: ToolkitScope,
  report: ReportProblem,
): { readonly name: string; readonly enabled: boolean; readonly rule: ToolkitRule } | undefined {
  const name = readName(fields, 'the rule', report)
  const action = readAction(fields, report)
  const condition = fields.text('condition')
  const compiled = condition
    ? compileToolkitCondition(condition.text, (inner, problem) => {
        report(condition.locate(inner), problem)
      })
    : always
  const description = fields.text('description')
  const limit = readLimit(fields, action, report)
  const approvers = readApprovers(fields, action, report)
  const stage = readStage(fields, report)
  const priority = fields.number('priority')
  if (priority !== undefined && !Number.isSafeInteger(priority.value)) {
    report(priority.offset, `the priority ${String(priority.value)} is not a whole number`)
  }
  const enabled = fields.flag('enabled') ?? true
  fields.refuse('conditions', 'write a condition, such as "action.type == \'drop\'"')
  fields.refuse('surfaces', 'the mesh does not know through which surface a call was made')
  fields.close()
  if (name === undefined || action === undefined || compiled === undefined) return undefined
  const rule: ToolkitRule = {
    name,
    action,
    condition: compiled,
    reason: description?.text ?? `the rule ${name} ${action === 'deny' ? 'denies it' : 'asks for an approval'}`,
    stage,
    scope,
    priority: priority?.value ?? 0,
    approvers,
    limit,
    inherited: false,
  }
  return { name, enabled, rule }
}

/** `action` is how documents say it; `ruleAction` and `effect` are how the TypeScript SDK of the toolkit reads it. */
function readAction(fields: YamlFields, report: ReportProblem): ToolkitAction | undefined {
  const written = ['action', 'ruleAction', 'effect'].flatMap((key) => fields.text(key) ?? [])
  const [first] = written
  if (first === undefined) {
    report(fields.offset, `the rule has no action: there are ${toolkitActions.join(', ')}`)
    return undefined
  }
  const actions = written.map(({ text, offset }) => {
    const action = text === 'review' ? 'require_approval' : toolkitActions.find((known) => known === text)
    if (action === undefined) report(offset, `the action '${text}' is none of ${toolkitActions.join(', ')}`)
    return { action, offset }
  })
  const other = actions.find(({ action }) => action !== actions[0]?.action)
  if (other !== undefined) report(other.offset, 'action, ruleAction and effect say different things')
  return actions[0]?.action
}

function readLimit(
  fields: YamlFields,
  action: ToolkitAction | undefined,
  report: ReportProblem,
): RateLimit | undefined {
  const limit = fields.text('limit')
  if (limit === undefined) return undefined
  const parsed = parseRateLimit(limit.text)
  if (typeof parsed === 'string') report(limit.offset, parsed)
  else if (action === 'deny') report(limit.offset, 'limit stands at a rule that denies: nothing is left to be limited')
  return typeof parsed === 'string' ? undefined : parsed
}

function readApprovers(
  fields: YamlFields,
  action: ToolkitAction | undefined,
  report: ReportProblem,
): readonly string[] {
  const approvers = fields.texts('approvers') ?? []
  const [first] = approvers
  if (first !== undefined && action !== 'require_approval') {
    report(first.offset, 'approvers stands at a rule whose action is not require_approval')
  }
  for (const { text, offset } of approvers) {
    if (!isAgentWord(text))
      report(offset, `the approver '${text}' can mean no agent: write security-team or acme/security-team`)
  }
  return approvers.map(({ text }) => text)
}

function readStage(fields: YamlFields, report: ReportProblem): ToolkitStage {
  const stage = fields.text('stage')
  if (stage === undefined || stage.text === 'pre_tool') return 'pre_tool'
  if (stage.text === 'pre_input') return 'pre_input'
  const known = stage.text === 'post_tool' || stage.text === 'pre_output'
  const problem = known ? 'decisions fall before a call, not after it' : 'there are pre_input and pre_tool'
  report(stage.offset, `the stage ${stage.text} is refused: ${problem}`)
  return 'pre_tool'
}

function readAgents(root: YamlFields, report: ReportProblem): readonly string[] | undefined {
  const one = root.text('agent')
  const words = [...(one === undefined ? [] : [one]), ...(root.texts('agents') ?? [])]
  for (const { text, offset } of words) {
    if (text !== '*' && !isAgentWord(text)) {
      report(offset, `'${text}' can mean no agent: write a name such as research or acme/research`)
    }
  }
  const agents = words.map(({ text }) => text)
  return agents.length === 0 || agents.includes('*') ? undefined : agents
}

function readName(fields: YamlFields, what: string, report: ReportProblem): string | undefined {
  const name = fields.text('name')
  if (name === undefined) report(fields.offset, `${what} has no name`)
  else if (!namePattern.test(name.text) || name.text === 'default') {
    report(name.offset, `the name '${name.text}' is not 1 to 63 letters, digits, '.', '_' or '-', or is reserved`)
  }
  return name?.text
}

function readWord<Word extends string>(
  fields: YamlFields,
  key: string,
  words: readonly Word[],
  report: ReportProblem,
): Word | undefined {
  const written = fields.text(key)
  if (written === undefined) return undefined
  const word = words.find((known) => known === written.text)
  if (word === undefined) report(written.offset, `${key} is '${written.text}', not one of ${words.join(', ')}`)
  return word
}
