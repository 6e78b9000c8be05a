import type { EnvelopeHeader } from '@parley/protocol'
import type { VerifiedChain, VerifiedCredential } from '@parley/identity'
import type { CallOptions } from '../calling/call-options.ts'
import type { Acting } from '../calling/acting.ts'
import type { EvidenceOf } from '../session/evidence-of.ts'
import type { HandedChain } from '../delegation/handed-chain.ts'
import { obligationsOf, withObligations } from '../policy/obligations.ts'
import type { UsageMeter } from './usage-meter.ts'
import { markResult, type ServedHop } from './served.ts'
import type { MeshNode } from '../node/node.ts'
import type { EffectiveTrust } from '../pipeline/effective-trust.ts'
import type { WorkLease } from './work-lease.ts'
import type { Stopping } from '../node/stopping.ts'
import { lazySignal, stops } from './lazy-signal.ts'
import { traceOf } from '../calling/traceparent.ts'

/** What a handler's hop is made of. */
export interface ServingHopParts {
  readonly header: EnvelopeHeader
  readonly peer: VerifiedCredential
  readonly chain: VerifiedChain | undefined
  readonly trust: EffectiveTrust
  /** What the rules that let the hop pass oblige this node to. */
  readonly obligations: readonly string[]
  readonly stopping: Stopping
  readonly evidence: EvidenceOf
  readonly remainingMs: () => number
  readonly caller: Pick<MeshNode, 'call' | 'tryCall' | 'stream' | 'emit'>
  readonly lease: Pick<WorkLease, 'accept' | 'progress'>
  /** What the caller handed on: what the handler calls with. */
  readonly handed: HandedChain | undefined
  readonly acting: Acting
  readonly meter: UsageMeter
}

/** Creates the hop that a handler sees. Calls that it makes carry on trace, time, labels and `onBehalfOf`. */
export function createServingHop(parts: ServingHopParts): ServedHop {
  const { header, peer, chain, trust } = parts
  const trace = traceOf(header.traceparent ?? '')
  const labels =
    parts.obligations.length === 0 ? (header.labels ?? []) : withObligations(header.labels, parts.obligations)
  const onBehalfOf = header.onBehalfOf ?? peer.name
  const withLabels = (more: readonly string[] = []): readonly string[] => [
    ...new Set([...labels, ...(parts.handed?.chain.labels ?? []), ...more]),
  ]
  const onward = (options: CallOptions = {}): CallOptions => ({
    ...options,
    trace,
    deadlineMs: Math.min(options.deadlineMs ?? Infinity, Math.max(0, parts.remainingMs())),
    labels: withLabels(options.labels),
    onBehalfOf,
    pathIndex: (header.pathIndex ?? 0) + 1,
    signal: options.signal ? AbortSignal.any([options.signal, parts.stopping.signal()]) : parts.stopping.signal(),
  })
  const hop: Omit<ServedHop, 'signal'> & { readonly [stops]: Stopping; readonly __proto__: object } = {
    __proto__: lazySignal,
    [stops]: parts.stopping,
    id: header.id,
    trace,
    capability: header.capability ?? ':',
    caller: {
      owner: peer.owner,
      name: peer.name,
      instance: peer.instance,
      kind: peer.agentKind,
      ...(peer.signIn ? { signIn: peer.signIn } : {}),
      score: trust.score,
      tier: trust.tier,
    },
    ...(header.onBehalfOf === undefined ? {} : { onBehalfOf: header.onBehalfOf }),
    labels,
    obligations: obligationsOf(labels),
    pathIndex: header.pathIndex ?? 0,
    ...(chain ? { delegation: { root: chain.root, agents: chain.agents, hash: chain.hash } } : {}),
    ...(parts.handed
      ? { handed: { capabilities: parts.handed.chain.capabilities, expiresAtMs: parts.handed.chain.expiresAtMs } }
      : {}),
    ...(header.saga ? { saga: header.saga } : {}),
    evidence: parts.evidence,
    remainingMs: parts.remainingMs,
    decline: (name, details) => markResult({ kind: 'declined', error: { name, details } }),
    fail: (options = {}) => markResult({ kind: 'nothing-done', retryable: options.retryable ?? false }),
    refuse: (code, options = {}) => markResult({ kind: 'refusal', code, ...options }),
    accept: parts.lease.accept,
    progress: parts.lease.progress,
    use: (usage) => parts.meter.use(usage),
    call: (capability, input, options) =>
      parts.acting.run(parts.handed, () => parts.caller.call(capability, input, onward(options))),
    tryCall: (capability, input, options) =>
      parts.acting.run(parts.handed, () => parts.caller.tryCall(capability, input, onward(options))),
    emit: (event, payload, options) =>
      parts.caller.emit(event, payload, { trace, onBehalfOf, labels: withLabels(options?.labels) }),
    stream: (capability, input, options) =>
      parts.acting.run(parts.handed, () => parts.caller.stream(capability, input, { ...options, ...onward(options) })),
  }
  return hop as typeof hop & Pick<ServedHop, 'signal'>
}
