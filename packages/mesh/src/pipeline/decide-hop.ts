import { decidePolicy, type PolicyDecision, type PolicyInput } from '@parley/policy'
import { allowed, encodeBase64url, refuse, type Verdict } from '@parley/protocol'
import type { NodeRecord } from '../node.ts'
import type { NodeParts } from '../node-parts.ts'

/** A policy decision as it binds a hop. */
export interface DecidedHop {
  readonly decision: PolicyDecision
  readonly verdict: Verdict
  /** The body to go on with, where rules rewrote it. */
  readonly rewrite?: BodyRewrite
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

/** Decides a hop by the policy in force, and takes from the limits that it is held to. */
export function decideHop(
  parts: Pick<NodeParts, 'policy' | 'limits' | 'hash'>,
  input: PolicyInput,
  original: () => Uint8Array,
): DecidedHop {
  const decision = decidePolicy(parts.policy(), input)
  if (decision.kind === 'deny') return { decision, verdict: refuseBy(decision) }
  const { limits, rewritten } = decision
  if (limits.length > 0) {
    const { caller, action } = input
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

function refuseBy(decision: Exclude<PolicyDecision, { readonly kind: 'allow' }>): Verdict {
  return refuse(decision.code, decision.reason, { rule: `${decision.document}#${decision.rule}` })
}

/** Describes a rewrite for the record: who made it, and both digests. */
export function describeRewrite(rewrite: BodyRewrite | undefined): NodeRecord {
  return rewrite ? { rewrittenBy: rewrite.by, body: rewrite.from, rewritten: rewrite.to } : {}
}
