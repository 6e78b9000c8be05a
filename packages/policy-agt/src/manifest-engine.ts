import {
  defaultApproval,
  type EngineDeny,
  type EngineVerdict,
  type PolicyEngine,
  type PolicyInput,
  type PolicyLimit,
  type RuleExplanation,
} from '@parley/policy'
import type { ErrorCode, Risk } from '@parley/protocol'
import type { AgentManifest, ManifestTool } from './agent-manifest.ts'
import { ownAgentName, wordMeansAgent } from './agent-word.ts'
import { namesOfCapability, wordMeans } from './capability-word.ts'
import { checkParameter } from './tool-parameter.ts'

const minuteMs = 60_000
const silent: EngineVerdict = { kind: 'allow', rule: 'default' }
const risks: readonly Risk[] = ['read', 'reversible', 'irreversible', 'administrative']

/**
 * Makes an engine of a manifest. It speaks of what its agent does, and is silent about other agents and about undo and
 * lookup of saga steps: what was allowed can be taken back.
 */
export function createManifestEngine(manifest: AgentManifest, file: string, hash: string): PolicyEngine {
  const { agent, tools } = manifest
  const speaksOf = ({ phase, caller }: PolicyInput): boolean => phase === 'do' && wordMeansAgent(agent, caller.name)
  return {
    name: agent,
    language: 'agent manifest',
    file,
    hash,
    rules: tools.map(({ name }) => name),
    decide: (input) => (speaksOf(input) ? decide(manifest, input) : silent),
    explain: (input) => (speaksOf(input) ? explain(manifest, input) : []),
  }
}

function decide({ agent, tools, deniedTools }: AgentManifest, input: PolicyInput): EngineVerdict {
  const names = namesOfCapability(input.action)
  const denied = deniedTools.some((word) => wordMeans(word, names))
  if (denied) return refuse('denied_tools', 'policy.denied', `the manifest of ${agent} denies ${input.action}`)
  const tool = tools.find(({ name }) => wordMeans(name, names))
  if (tool === undefined)
    return refuse('tools', 'policy.denied', `the manifest of ${agent} does not list ${input.action}`)
  const problem = checkArguments(tool, input)
  if (problem !== undefined) return refuse(tool.name, 'policy.denied', problem)
  return decideRisk(tool, input) ?? permit(tool, input)
}

function checkArguments(tool: ManifestTool, input: PolicyInput): string | undefined {
  const { parameters, maxAmount } = tool
  if (parameters === undefined && maxAmount === undefined) return undefined
  const body = input.body()
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'the arguments are not a map'
  const values = body as Readonly<Record<string, unknown>>
  const read = (name: string): unknown => (Object.hasOwn(values, name) ? values[name] : undefined)
  if (maxAmount !== undefined) {
    const amount = read('amount')
    if (typeof amount !== 'number' || !(amount >= 0 && amount <= maxAmount)) {
      return `the amount is not a number from 0 to ${String(maxAmount)}`
    }
  }
  if (parameters === undefined) return undefined
  const known = new Set(parameters.map(({ name }) => name))
  if (maxAmount !== undefined) known.add('amount')
  if (Object.keys(values).some((name) => !known.has(name)))
    return 'an argument is given that the manifest does not list'
  for (const parameter of parameters) {
    const problem = checkParameter(parameter, read(parameter.name))
    if (problem !== undefined) return problem
  }
  return undefined
}

/** A tool may do no more harm than its manifest says; the irreversible asks for what the ring table asks for. */
function decideRisk({ name, classification, needsApproval }: ManifestTool, input: PolicyInput): EngineDeny | undefined {
  if (classification === undefined) return undefined
  if (risks.indexOf(input.risk) > risks.indexOf(classification)) {
    return refuse(name, 'policy.denied', `the manifest calls it ${classification}, its contract ${input.risk}`)
  }
  if (classification === 'reversible' || needsApproval) return undefined
  const peer = input.direction === 'inbound' ? input.caller : input.callee
  if (peer.tier === 'trusted' || peer.tier === 'verified') return undefined
  if (peer.tier !== 'untrusted' && peer.grantsByName) return undefined
  const reason = 'irreversible work needs trust of tier trusted or higher, or a credential that grants it by name'
  return refuse(name, 'trust.below-threshold', reason)
}

function permit(tool: ManifestTool, input: PolicyInput): EngineVerdict {
  const { name, maxCallsPerMinute } = tool
  const limits: readonly PolicyLimit[] =
    maxCallsPerMinute === undefined ? [] : [{ rule: name, max: maxCallsPerMinute, perMs: minuteMs, take: 1 }]
  if (!tool.needsApproval) return { kind: 'allow', rule: name, limits }
  const own = input.direction === 'inbound' ? input.callee : input.caller
  const approvers = tool.approvers.map((word) => ownAgentName(word, own.name))
  const reason = `the tool ${name} asks for the approval of a human`
  return { kind: 'require_approval', rule: name, reason, demand: { ...defaultApproval, approvers }, limits }
}

function explain(manifest: AgentManifest, input: PolicyInput): readonly RuleExplanation[] {
  const names = namesOfCapability(input.action)
  const verdict = decide(manifest, input)
  return manifest.tools.map(({ name, needsApproval }): RuleExplanation => {
    const said = { document: manifest.agent, rule: name, effect: needsApproval ? 'require_approval' : 'allow' } as const
    if (!wordMeans(name, names)) return { ...said, result: 'not-matched', because: 'another tool' }
    return verdict.kind === 'deny'
      ? { ...said, result: 'not-matched', because: verdict.reason }
      : { ...said, result: 'matched' }
  })
}

function refuse(rule: string, code: ErrorCode, reason: string): EngineDeny {
  return { kind: 'deny', rule, code, reason }
}
