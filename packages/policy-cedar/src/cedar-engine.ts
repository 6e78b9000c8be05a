import { isAuthorized, statefulIsAuthorized, type AuthorizationAnswer } from '@cedar-policy/cedar-wasm/nodejs'
import type { EngineVerdict, PolicyEngine, PolicyInput, RuleExplanation } from '@parley/policy'
import { cedarHopOf, type CedarHop } from './cedar-hop.ts'
import type { CedarPolicy } from './cedar-policy.ts'
import { fillPolicySlot, type PolicySlot } from './policy-slots.ts'

/** A document of Cedar policies that was read and checked. */
export interface CedarDocument {
  readonly name: string
  readonly file: string
  readonly hash: string
  readonly policies: readonly CedarPolicy[]
}

/**
 * Makes an engine of a document.
 *
 * I1 An error in any policy denies: Cedar itself skips a `forbid` that errors, and would allow.
 * I2 No permit that applies is a denial, as in Cedar.
 * I3 A policy with a redaction decides nothing.
 */
export function createCedarEngine({ name, file, hash, policies }: CedarDocument): PolicyEngine {
  const deciding = policies.filter(({ redaction }) => redaction === undefined)
  const redacting = policies.filter(({ redaction }) => redaction !== undefined)
  const byId = new Map(policies.map((policy) => [policy.id, policy]))
  const decides = parseAll(deciding)
  const engine: PolicyEngine = {
    name,
    language: 'cedar',
    file,
    hash,
    rules: policies.map(({ id }) => id),
    decide: (input) => verdictOf(ask(decides, cedarHopOf(input, decides.reads)), name, byId),
    explain: (input) => policies.map((policy) => explainPolicy(policy, name, input)),
  }
  if (redacting.length === 0) return engine
  const redacts = parseAll(redacting)
  return {
    ...engine,
    transform(input) {
      const answer = ask(redacts, cedarHopOf(input, redacts.reads))
      if (answer.type === 'failure') throw new TypeError('Cedar could not say what is to be redacted')
      const { reason, errors } = answer.response.diagnostics
      const [failed] = errors
      if (failed !== undefined) throw new TypeError(`the policy ${failed.policyId} could not be evaluated`)
      const applied = redacting.filter(({ id }) => reason.includes(id))
      const [first] = applied
      if (first === undefined) return undefined
      const body = applied.reduce((changed, { redaction }) => redaction?.(changed) ?? changed, input.body())
      return { rule: first.id, body }
    },
  }
}

interface ParsedPolicies {
  readonly slot: PolicySlot
  readonly reads: ReadonlySet<string>
}

function parseAll(policies: readonly CedarPolicy[]): ParsedPolicies {
  const slot = fillPolicySlot(Object.fromEntries(policies.map(({ id, text }) => [id, text])))
  if (slot === undefined) throw new TypeError('policies that were checked do not parse')
  return { slot, reads: new Set(policies.flatMap(({ reads }) => [...reads])) }
}

function ask({ slot }: ParsedPolicies, hop: CedarHop): AuthorizationAnswer {
  return statefulIsAuthorized({ ...libraryCall(hop), preparsedPolicySetId: slot.id })
}

/** The library's types are of lists that may change. */
function libraryCall(hop: CedarHop): Omit<Parameters<typeof isAuthorized>[0], 'policies'> {
  return hop as unknown as Omit<Parameters<typeof isAuthorized>[0], 'policies'>
}

function verdictOf(
  answer: AuthorizationAnswer,
  name: string,
  policies: ReadonlyMap<string, CedarPolicy>,
): EngineVerdict {
  if (answer.type === 'failure') {
    return { kind: 'deny', rule: '', code: 'policy.evaluation-failed', reason: `Cedar could not decide by ${name}` }
  }
  const { decision, diagnostics } = answer.response
  const [failed] = diagnostics.errors
  if (failed !== undefined) {
    const reason = `the policy ${failed.policyId} could not be evaluated`
    return { kind: 'deny', rule: failed.policyId, code: 'policy.evaluation-failed', reason }
  }
  const [first] = diagnostics.reason.toSorted()
  if (decision === 'allow' && first !== undefined) return { kind: 'allow', rule: first }
  if (first === undefined) {
    return { kind: 'deny', rule: 'default', code: 'policy.denied', reason: `no policy of ${name} permits it` }
  }
  return {
    kind: 'deny',
    rule: first,
    code: 'policy.denied',
    reason: policies.get(first)?.reason ?? `the policy ${first} forbids it`,
  }
}

function explainPolicy(
  { id, text, effect, redaction, reads }: CedarPolicy,
  document: string,
  input: PolicyInput,
): RuleExplanation {
  const said = { document, rule: id, effect: redaction ? 'transform' : effect === 'permit' ? 'allow' : 'deny' } as const
  const answer = isAuthorized({
    ...libraryCall(cedarHopOf(input, reads)),
    policies: { staticPolicies: { [id]: text } },
  })
  if (answer.type === 'failure') return { ...said, result: 'failed', because: 'Cedar could not read the hop' }
  const { errors, reason } = answer.response.diagnostics
  const [failed] = errors
  if (failed !== undefined) return { ...said, result: 'failed', because: failed.error.message }
  return reason.includes(id) ? { ...said, result: 'matched' } : { ...said, result: 'not-matched' }
}
