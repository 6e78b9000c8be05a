import { noDelegation, noObjective, type PolicyDecision, type PolicyInput } from '@parley/policy'
import { isMeshError, parseHeader, refuse, type Refusal, type Verdict } from '@parley/protocol'
import type { ContractEvent, EmitOptions, EmitOutcome } from '../contract/event.ts'
import type { NodeParts } from '../node/node-parts.ts'
import { decideHop, type DecidedHop } from '../pipeline/decide-hop.ts'
import { ownTrust, policyPeer } from '../pipeline/policy-input.ts'
import { checkSchema } from '../contract/schema.ts'
import { createEnvelopeId, type SealedEnvelope } from '../session/sealer.ts'
import { formatJson } from '../serving/json-body.ts'
import { shortenReason } from '../serving/shorten-reason.ts'
import { createTraceId, formatTraceparent } from '../calling/traceparent.ts'

/** How long an event is valid, in milliseconds: longer than any bus takes, short enough to be remembered. */
const eventLifetimeMs = 30_000

/** Tells everybody who listens to an event. */
export type Emit = (event: ContractEvent, payload: unknown, options?: EmitOptions) => Promise<EmitOutcome>

/** One event on its way out. */
interface Emission {
  readonly parts: NodeParts
  readonly event: ContractEvent
  readonly options: EmitOptions
  readonly id: string
  readonly trace: string
  decision?: PolicyDecision
  sealed?: SealedEnvelope
}

/** Creates what emits a node's events: judged by its own policy, signed once for all listeners, recorded. */
export function createEmitter(
  parts: () => NodeParts | undefined,
  unstarted: { readonly random: NodeParts['random'] },
): Emit {
  return async (event, payload, options = {}) => {
    const node = parts()
    const id = createEnvelopeId(unstarted.random)
    const trace = options.trace ?? createTraceId(unstarted.random)
    if (!node)
      return { kind: 'refused', id, trace, code: 'mesh.not-started', reason: 'the node is not started, or closed' }
    const emission: Emission = { parts: node, event, options, id, trace }
    const leave = node.calls.enter()
    try {
      return record(emission, await emit(emission, payload))
    } finally {
      leave?.()
    }
  }
}

async function emit(emission: Emission, payload: unknown): Promise<Verdict> {
  const { parts, event } = emission
  const checked = await checkSchema(event.payload, payload)
  if (checked.kind === 'invalid') return refuse('contract.input-invalid', checked.problems)
  const text = formatJson(checked.value)
  if (text === undefined) return refuse('contract.input-invalid', 'the payload has no JSON form')
  const written = new TextEncoder().encode(text)
  const { verdict, rewrite } = await decide(emission, checked.value, written)
  if (verdict.kind === 'deny') return verdict
  const body = rewrite?.bytes ?? written
  if (body.length > parts.maxBodyBytes) return refuse('iatp.frame-oversize', 'the payload is too large for this bus')
  if (!parts.audit.canAppend()) return refuse('hop.unrecorded', 'the audit log cannot take another record')
  const sealed = seal(emission, body)
  emission.sealed = sealed
  const readable = parseHeader(sealed.header)
  return readable.kind === 'deny' ? readable : parts.sealer.send(sealed)
}

/** Asks the node's own policy. A topic has no one callee: the sender stands for it, with the right that it needs. */
async function decide(emission: Emission, payload: unknown, written: Uint8Array): Promise<DecidedHop> {
  const { parts, event, options } = emission
  const self = policyPeer(parts.ownCredential(), 'serves', event.capability, ownTrust)
  const input: PolicyInput = {
    action: event.capability,
    direction: 'outbound',
    phase: 'do',
    risk: event.risk,
    caller: self,
    callee: self,
    onBehalfOf: options.onBehalfOf ?? '',
    labels: options.labels ?? [],
    obligations: [],
    delegation: noDelegation,
    objective: () => noObjective,
    hop: { index: 0, path: [parts.name] },
    saga: { present: false, id: '', step: '', attempt: 0 },
    body: () => payload,
    time: { nowMs: parts.clock.now() },
  }
  const decided = await decideHop(parts, input, { hop: emission.id, original: () => written })
  emission.decision = decided.decision
  return decided
}

function seal({ parts, event, options, id, trace }: Emission, body: Uint8Array): SealedEnvelope {
  const issuedAtMs = parts.clock.now()
  const { credential, statement } = parts.issued()
  return parts.sealer.seal(
    {
      id,
      type: 'event',
      to: event.topic,
      issuedAtMs,
      expiresAtMs: issuedAtMs + eventLifetimeMs,
      contentType: 'application/json',
      capability: event.capability,
      contract: event.hash,
      traceparent: formatTraceparent(trace, parts.random),
      ...(options.onBehalfOf === undefined ? {} : { onBehalfOf: options.onBehalfOf }),
      ...(options.labels?.length ? { labels: options.labels } : {}),
      credential,
      statement,
    },
    body,
  )
}

function record({ parts, event, options, id, trace, decision, sealed }: Emission, end: Verdict): EmitOutcome {
  const told = { id, trace, ...tellWhy(end) }
  try {
    const { seq } = parts.audit.append({
      kind: 'event',
      side: 'emitter',
      hop: id,
      trace,
      capability: event.capability,
      to: event.topic,
      outcome: told.kind,
      ...(end.kind === 'deny' ? { code: end.code, reason: shortenReason(end.reason) } : {}),
      ...(sealed ? { leaf: sealed.leaf } : {}),
      ...(options.onBehalfOf === undefined ? {} : { onBehalfOf: options.onBehalfOf }),
      ...(decision ? { document: decision.document, rule: decision.rule, policy: decision.policyHash } : {}),
    })
    return { ...told, record: seq }
  } catch (error) {
    parts.logger.error('hop.unrecorded', { hop: id, error: isMeshError(error) ? error.message : 'not an error' })
    return told
  }
}

function tellWhy(
  end: Verdict,
): { readonly kind: 'emitted' } | ({ readonly kind: 'refused' } & Pick<Refusal, 'code' | 'reason' | 'retryAfterMs'>) {
  if (end.kind === 'allow') return { kind: 'emitted' }
  const { code, reason, retryAfterMs } = end
  return { kind: 'refused', code, reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}
