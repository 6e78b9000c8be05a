import type { PolicyProblem, PolicySource, ReportProblem } from '@parley/policy'
import type { AgentManifest, ManifestTool } from './agent-manifest.ts'
import { isAgentWord } from './agent-word.ts'
import { isCapabilityWord } from './capability-word.ts'
import { parameterTypes, type ToolParameter } from './tool-parameter.ts'
import { openDocument, readLiterals, type PlacedNumber, type PlacedText, type YamlFields } from './yaml-fields.ts'

/** Reads an agent manifest; appends every mistake to `problems` with its position. */
export function readAgentManifest(source: PolicySource, problems: PolicyProblem[]): AgentManifest | undefined {
  const opened = openDocument(source, problems)
  if (opened === undefined) return undefined
  const { root, report } = opened
  root.ignore('version', 'description', 'metadata')
  const agent = root.map('agent')
  root.close()
  if (agent === undefined) {
    report(root.offset, 'the manifest has no agent')
    return undefined
  }
  const id = agent.text('id')
  if (id === undefined) report(agent.offset, 'the agent has no id')
  else if (!isAgentWord(id.text)) report(id.offset, `'${id.text}' can mean no agent: write research or acme/research`)
  agent.ignore('name', 'description', 'version', 'metadata')
  const manifest = agent.map('manifest')
  if (manifest === undefined) report(agent.offset, 'the agent has no manifest')
  const denied = [...(agent.texts('denied_tools') ?? []), ...(manifest?.texts('denied_tools') ?? [])]
  for (const word of denied) checkTool(word, report)
  manifest?.ignore('name', 'description', 'version', 'metadata')
  const drafts = manifest?.maps('tools')
  if (manifest !== undefined && drafts === undefined)
    report(manifest.offset, 'tools is missing: give a list, which may be empty')
  const seen = new Set<string>()
  const tools = (drafts ?? []).flatMap((fields) => {
    const tool = readTool(fields, report)
    if (tool !== undefined && seen.has(tool.name)) report(fields.offset, `the tool ${tool.name} is listed twice`)
    if (tool !== undefined) seen.add(tool.name)
    return tool ?? []
  })
  manifest?.close()
  agent.close()
  return id === undefined ? undefined : { agent: id.text, tools, deniedTools: denied.map(({ text }) => text) }
}

function readTool(fields: YamlFields, report: ReportProblem): ManifestTool | undefined {
  const name = fields.text('name')
  if (name === undefined) report(fields.offset, 'the tool has no name')
  else checkTool(name, report)
  const calls = fields.number('max_calls_per_minute')
  if (calls !== undefined && !(Number.isSafeInteger(calls.value) && calls.value >= 1)) {
    report(calls.offset, 'max_calls_per_minute is not a whole number above 0: put the tool into denied_tools')
  }
  const maxAmount = readBound(fields.number('max_amount'), 'max_amount', report)
  const classification = fields.text('classification')
  const kind = (['reversible', 'irreversible'] as const).find((known) => known === classification?.text)
  if (classification !== undefined && kind === undefined) {
    report(classification.offset, `the classification '${classification.text}' is neither reversible nor irreversible`)
  }
  const needsApproval = fields.flag('requires_human_approval') ?? false
  const approvers = fields.texts('approvers') ?? []
  for (const { text, offset } of approvers) {
    if (!isAgentWord(text)) report(offset, `the approver '${text}' can mean no agent`)
    if (!needsApproval) report(offset, 'approvers stands at a tool that does not say requires_human_approval: true')
  }
  fields.ignore('description', 'version', 'metadata')
  const entries = fields.entries('parameters')
  fields.close()
  if (name === undefined) return undefined
  return {
    name: name.text,
    maxCallsPerMinute: calls?.value,
    parameters: entries?.map(([parameter, rest]) => readParameter(parameter, rest, report)),
    classification: kind,
    needsApproval,
    approvers: approvers.map(({ text }) => text),
    maxAmount,
  }
}

function readParameter(name: PlacedText, fields: YamlFields, report: ReportProblem): ToolParameter {
  const written = fields.text('type')
  const type = parameterTypes.find((known) => known === written?.text)
  if (written !== undefined && type === undefined) {
    report(written.offset, `the type '${written.text}' is none of ${parameterTypes.join(', ')}`)
  }
  const values = fields.value('enum') ?? fields.value('allowed_values')
  const oneOf = values === undefined ? undefined : readLiterals(values.node)
  if (values !== undefined && oneOf === undefined) report(values.offset, 'not a list of texts, numbers, true and false')
  const number = (key: string): number | undefined => fields.number(key)?.value
  const parameter: ToolParameter = {
    name: name.text,
    type,
    required: fields.flag('required') ?? false,
    minLength: readBound(fields.number('min_length'), 'min_length', report),
    maxLength: readBound(fields.number('max_length'), 'max_length', report),
    min: number('min') ?? number('minimum'),
    max: number('max') ?? number('maximum'),
    oneOf,
  }
  fields.refuse('pattern', 'a regular expression can run away; write enum or max_length')
  fields.ignore('description')
  fields.close()
  checkFit(parameter, fields, report)
  return parameter
}

/** A bound that its type cannot have would refuse every call, or none. */
function checkFit(
  { name, type, minLength, maxLength, min, max }: ToolParameter,
  fields: YamlFields,
  report: ReportProblem,
): void {
  const hasLength = type === undefined || type === 'string' || type === 'array'
  const isNumber = type === undefined || type === 'number' || type === 'integer'
  if (!hasLength && (minLength ?? maxLength) !== undefined) {
    report(fields.offset, `the parameter ${name} is of the type ${type} and has no length`)
  }
  if (!isNumber && (min ?? max) !== undefined) {
    report(fields.offset, `the parameter ${name} is of the type ${type} and has no min or max`)
  }
}

function readBound(number: PlacedNumber | undefined, key: string, report: ReportProblem): number | undefined {
  if (number !== undefined && number.value < 0) report(number.offset, `${key} is below 0`)
  return number?.value
}

function checkTool({ text, offset }: PlacedText, report: ReportProblem): void {
  if (isCapabilityWord(text)) return
  report(offset, `the tool '${text}' can mean no capability: those have parts of a-z, 0-9, - and _, such as web_search`)
}
