import {
  decidePolicy,
  describeSubject,
  type PolicyAllow,
  type PolicyDecision,
  type PolicyDenial,
  type PolicyInput,
  type PolicySet,
} from '@parley/policy'
import { allowed, encodeBase64url, refuse, type Verdict } from '@parley/protocol'
import type { AskedApproval } from '../approvals/approval-request.ts'
import type { NodeRecord } from '../node/node.ts'
import type { NodeParts } from '../node/node-parts.ts'

/** A policy decision as it binds a hop. */
export interface DecidedHop {
  readonly decision: PolicyDecision
  readonly verdict: Verdict
  /** The body to go on with, where rules rewrote it. */
  readonly rewrite?: BodyRewrite
  /** The request that the hop waits for, or that it may be admitted by: `approval` uses it. */
  readonly approval?: AskedApproval
}

/** A body that rules of the policy rewrote, with the digests of what was signed and of what is acted on. */
export interface BodyRewrite {
  readonly value: unknown
  /** In JSON. */
  readonly bytes: Uint8Array
  /** `document#rule`, joined by commas. */
  readonly by: string
  /** base64url SHA-256 over the JSON before and after. */
  readonly from: string
  readonly to: string
}

/** What a decision needs of a node. */
type DecidingParts = Pick<
  NodeParts,
  'policy' | 'limits' | 'grantedRates' | 'hash' | 'approvals' | 'shadowPolicy' | 'note' | 'decisions'
>

/** What a decision is about, besides its input. */
export interface DecidedOn {
  /** The hop's id, which its records carry. */
  readonly hop: string
  /** The body before any rule rewrote it, in JSON. */
  readonly original: () => Uint8Array
  /** Declarations of people that came with it. */
  readonly answers?: readonly string[] | undefined
}

/**
 * Decides a hop by the policy in force, lets it pass where people approved of exactly this, and takes from the limits that
 * it is held to. At once, unless an approval is asked for.
 */
export function decideHop(
  parts: DecidingParts,
  input: PolicyInput,
  { hop, original, answers = [] }: DecidedOn,
): DecidedHop | Promise<DecidedHop> {
  const { decisions } = parts
  const set = parts.policy()
  const decision = decisions ? decisions.decide(set, input, hop) : decidePolicy(set, input)
  if (parts.shadowPolicy) noteShadow(parts, parts.shadowPolicy, input, decision)
  if (decision.kind === 'allow') return letPass(parts, decision, input, original)
  const { approval } = decision
  if (!approval) return { decision, verdict: refuseBy(decision) }
  return decideApproval(parts, decision, input, answers).then(({ verdict, asked }) => {
    if (verdict.kind === 'deny') return { decision, verdict, ...(asked ? { approval: asked } : {}) }
    return { ...letPass(parts, approval.approved, input, original), ...(asked ? { approval: asked } : {}) }
  })
}

/** Records what documents that are only tried would have decided otherwise. */
function noteShadow({ note }: DecidingParts, set: PolicySet, input: PolicyInput, decision: PolicyDecision): void {
  const tried = decidePolicy(set, input)
  if (tried.kind === decision.kind) return
  note({
    kind: 'policy',
    event: 'shadow-differs',
    capability: input.action,
    peer: input.direction === 'inbound' ? input.caller.name : input.callee.name,
    direction: input.direction,
    decided: decision.kind,
    policy: decision.policyHash,
    shadow: tried.kind,
    shadowRule: `${tried.document}#${tried.rule}`,
    shadowPolicy: tried.policyHash,
  })
}

async function decideApproval(
  parts: DecidingParts,
  decision: PolicyDenial,
  input: PolicyInput,
  answers: readonly string[],
): Promise<{ readonly verdict: Verdict; readonly asked?: AskedApproval }> {
  const { policyHash, rewritten, reason } = decision
  const rule = `${decision.document}#${decision.rule}`
  const body = rewritten ? rewritten.body : input.body()
  const demands = decision.approval?.demands ?? []
  const subject = describeSubject(input, { policyHash, demands, body }, parts.hash)
  const settled = await parts.approvals.settle({ subject, arguments: body, reason }, answers)
  const asked = settled.request && { id: settled.request.id, digest: settled.request.digest }
  const verdict = settled.kind === 'allow' ? allowed : { ...settled.refusal, rule }
  return { verdict, ...(asked ? { asked } : {}) }
}

function letPass(
  parts: DecidingParts,
  decision: PolicyAllow,
  input: PolicyInput,
  original: () => Uint8Array,
): DecidedHop {
  const { limits, rewritten } = decision
  const { caller, action } = input
  if (input.direction === 'inbound') parts.grantedRates.note(`${caller.owner} ${caller.name}`, action, limits)
  if (limits.length > 0) {
    const paid = parts.limits.take(limits, { agent: `${caller.owner} ${caller.name}`, action })
    if (paid.kind === 'deny') return { decision, verdict: paid }
  }
  if (!rewritten) return { decision, verdict: allowed }
  const text = JSON.stringify(rewritten.body) as string | undefined
  if (text === undefined) {
    const rule = rewritten.rules.join(',')
    return { decision, verdict: refuse('policy.evaluation-failed', 'the rewritten body has no JSON form', { rule }) }
  }
  const bytes = new TextEncoder().encode(text)
  const digest = (of: Uint8Array): string => encodeBase64url(parts.hash(of))
  const rewrite = {
    value: rewritten.body,
    bytes,
    by: rewritten.rules.join(','),
    from: digest(original()),
    to: digest(bytes),
  }
  return { decision, verdict: allowed, rewrite }
}

function refuseBy(decision: PolicyDenial): Verdict {
  return refuse(decision.code, decision.reason, { rule: `${decision.document}#${decision.rule}` })
}

/** Describes a rewrite for the record: who made it, and both digests. */
export function describeRewrite(rewrite: BodyRewrite | undefined): NodeRecord {
  return rewrite ? { rewrittenBy: rewrite.by, body: rewrite.from, rewritten: rewrite.to } : {}
}
