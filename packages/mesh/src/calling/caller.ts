import type { AuditFields } from '@parley/audit'
import { systemHash } from '@parley/ports'
import { isMeshError } from '@parley/protocol'
import type { CallOptions } from './call-options.ts'
import { receiptOf } from './receipt-of.ts'
import { createCallStream, type CallStream, type StreamOptions } from './call-stream.ts'
import type { ContractCapability } from '../contract/contract.ts'
import type { HopReport } from '../node/hop-report.ts'
import type { MeshNode } from '../node/node.ts'
import type { NodeParts } from '../node/node-parts.ts'
import { CallError, codeOf, type BareOutcome, type Outcome } from '../contract/outcome.ts'
import type { OutboundHop } from '../pipeline/outbound-hop.ts'
import { createPartReceiver, type PartReceiver } from '../stream/part-receiver.ts'
import { runStages, type PipelineEnd, type Stage } from '../pipeline/stage.ts'
import { evidenceOf } from '../session/evidence-of.ts'
import { createEnvelopeId } from '../session/sealer.ts'
import { shortenReason } from '../serving/shorten-reason.ts'
import { createTraceId } from './traceparent.ts'

/** Enough to hide the way there and back, few enough to keep. */
const defaultMaxAhead = 16
/** Milliseconds that a stream may take unless it says otherwise. */
const defaultStreamMs = 60_000

/** Creates what makes a node's calls: runs the outbound stages, records, and reports. */
export function createCaller(
  parts: () => NodeParts | undefined,
  stages: readonly Stage<OutboundHop>[],
  unstarted: { readonly random: NodeParts['random']; readonly clock: NodeParts['clock'] },
): Pick<MeshNode, 'call' | 'tryCall' | 'stream'> {
  const run = async (
    contract: ContractCapability,
    input: unknown,
    options: CallOptions,
    receiver?: PartReceiver,
  ): Promise<Outcome> => {
    const node = parts()
    const { clock, random } = unstarted
    const id = createEnvelopeId(random)
    const trace = options.trace ?? createTraceId(random)
    if (!node) {
      const report = {
        id,
        trace,
        capability: contract.capability,
        sent: false,
        durationMs: 0,
        explain: () => 'the node is not started',
      }
      return { kind: 'refused', code: 'mesh.not-started', reason: 'the node is not started, or closed', hop: report }
    }
    const hop: OutboundHop = {
      parts: node,
      contract,
      input,
      options,
      id,
      trace,
      startedAtMs: clock.monotonic(),
      ...(receiver ? { receiver } : {}),
    }
    const leave = node.calls.enter()
    try {
      const outcome = finish(hop, await runStages(stages, hop, node.logger))
      if (hop.settleTaken) await settleTaken(hop, outcome)
      return outcome
    } finally {
      leave?.()
    }
  }
  const tryCall = (contract: ContractCapability, input: unknown, options: CallOptions = {}): Promise<Outcome> =>
    run(contract, input, options)
  const stream = (contract: ContractCapability, input: unknown, options: StreamOptions = {}): CallStream<unknown> => {
    const { maxAhead = defaultMaxAhead, deadlineMs = defaultStreamMs, signal, ...more } = options
    const leaving = new AbortController()
    const cancel = (): void => {
      leaving.abort()
    }
    const receiver = createPartReceiver(systemHash, maxAhead, cancel)
    const either = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal
    const outcome = run(contract, input, { ...more, deadlineMs, signal: either }, receiver).finally(receiver.end)
    return createCallStream(contract, receiver, outcome, cancel)
  }
  return {
    stream: stream as MeshNode['stream'],
    tryCall: tryCall as MeshNode['tryCall'],
    call: (async (contract: ContractCapability, input: unknown, options?: CallOptions) => {
      const outcome = await tryCall(contract, input, options)
      if (outcome.kind === 'ok') return outcome.output
      throw new CallError(contract.capability, outcome)
    }) as MeshNode['call'],
  }
}

/** Ends a call: places are given back, the peer is weighed, and one record is written, whatever happened. */
function finish(hop: OutboundHop, end: PipelineEnd): Outcome {
  const { parts } = hop
  const durationMs = Math.round((parts.clock.monotonic() - hop.startedAtMs) * 1_000) / 1_000
  const outcome = outcomeOf(hop, end)
  hop.release?.()
  // That this side left says nothing of the callee.
  const isOurs = hop.isCancelled === true && hop.receiver?.failure() === undefined && outcome.kind !== 'ok'
  // A refusal is fast, whoever refuses, and a call that was taken back is short: neither says how fast the instance works.
  hop.leaveInstance?.(isOurs || outcome.kind === 'refused' ? undefined : durationMs)
  hop.settleBreaker?.(isOurs ? 'refused' : outcome.kind, durationMs)
  if (!isOurs && hop.peer && hop.sealed && hop.sent === true)
    parts.weighCallee(hop.peer.credential, { capability: hop.contract.capability, leaf: hop.sealed.leaf, outcome })
  let record: number | undefined
  try {
    record = parts.audit.append(describe(hop, outcome, end, durationMs)).seq
  } catch (error) {
    parts.logger.error('hop.unrecorded', { hop: hop.id, error: isMeshError(error) ? error.message : 'not an error' })
  }
  const report = createReport(hop, outcome, end, durationMs, record)
  return { ...outcome, hop: report }
}

/** Gives back what was not used. What cannot be given back stays taken: nobody can spend it twice. */
async function settleTaken(hop: OutboundHop, outcome: Outcome): Promise<void> {
  try {
    await hop.settleTaken?.(outcome)
  } catch (error) {
    const message = error instanceof Error ? error.message : 'not an error'
    hop.parts.logger.error('hop.not-settled', { hop: hop.id, error: message })
  }
}

/** A stage that broke after the request had left cannot say that nothing was done. */
function outcomeOf(hop: OutboundHop, end: PipelineEnd): BareOutcome {
  if (end.kind === 'allow') return hop.outcome ?? { kind: 'unknown', code: 'hop.stage-failed' }
  if (hop.sent === true && hop.outcome?.kind !== 'refused') return { kind: 'unknown', code: end.code }
  const { code, reason, retryAfterMs } = end
  return {
    kind: 'refused',
    code,
    reason,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(hop.approval ? { approval: hop.approval } : {}),
  }
}

/** All records of hops have one shape, which costs the engine least: what is undefined is left out of the text. */
function describe(hop: OutboundHop, outcome: BareOutcome, end: PipelineEnd, durationMs: number): AuditFields {
  const { options, peer, trust, decision, chain, sealed, usage } = hop
  const { saga } = options
  const refusal = end.kind === 'deny' ? end : undefined
  const streamed = hop.sent === true ? hop.receiver?.tally() : undefined
  const credential = peer?.credential
  return {
    kind: 'hop',
    side: 'caller',
    type: 'request',
    hop: hop.id,
    trace: hop.trace,
    capability: hop.contract.capability,
    durationMs,
    outcome: outcome.kind,
    sent: hop.sent === true,
    code: codeOf(outcome),
    stage: refusal?.stage,
    reason: refusal && shortenReason(refusal.reason),
    accepted: hop.isLeased === true ? true : undefined,
    parts: streamed?.count,
    partsHash: streamed?.hash,
    peer: credential?.name ?? options.to,
    peerOwner: credential?.owner,
    to: credential?.instance,
    leaf: sealed?.leaf,
    sealed: hop.isConfidential === true ? true : undefined,
    peerRecord: hop.peerRecord,
    onBehalfOf: options.onBehalfOf,
    chain: chain?.hash,
    handed: hop.handed?.hash,
    usedCalls: usage?.calls,
    usedTokens: usage?.tokens,
    usedAmount: usage?.money?.amount,
    usedCurrency: usage?.money?.currency,
    usedSeconds: usage?.seconds,
    saga: saga?.id,
    step: saga?.step,
    phase: saga?.phase,
    attempt: saga?.attempt,
    epoch: saga?.epoch,
    key: saga?.key,
    score: trust?.score,
    wouldRefuse: hop.wouldRefuse,
    tier: trust?.tier,
    document: decision?.document,
    rule: decision?.rule,
    policy: decision?.policyHash,
    approval: hop.approval?.id,
    rewrittenBy: hop.rewrite?.by,
    body: hop.rewrite?.from,
    rewritten: hop.rewrite?.to,
  }
}

function createReport(
  hop: OutboundHop,
  outcome: BareOutcome,
  end: PipelineEnd,
  durationMs: number,
  record: number | undefined,
): HopReport {
  const { peer, decision, peerRecord } = hop
  const receipt = receiptOf(hop)
  const refusedBy = end.kind === 'deny' && hop.sent !== true ? end.stage : undefined
  const recorded = (record === undefined ? 0 : 1) + (peerRecord === undefined ? 0 : 1)
  const explain = (): string => {
    const by = decision?.document ?? 'no document'
    const said =
      outcome.kind === 'refused'
        ? `refused by ${hop.sent === true ? 'the callee' : (refusedBy ?? 'this node')}: ${outcome.code} (${outcome.reason})`
        : `allowed by ${by}`
    const times = ['unrecorded', 'recorded once', 'recorded twice'][recorded] ?? 'recorded'
    return [said, hop.sent === true ? 'signed' : 'not sent', times].join('; ')
  }
  return {
    id: hop.id,
    trace: hop.trace,
    capability: hop.contract.capability,
    ...(hop.sealed ? { leaf: hop.sealed.leaf } : {}),
    ...(peer
      ? { peer: { owner: peer.credential.owner, name: peer.credential.name, instance: peer.credential.instance } }
      : {}),
    sent: hop.sent === true,
    ...(refusedBy === undefined ? {} : { refusedBy }),
    ...(decision ? { decision: { document: decision.document, rule: decision.rule } } : {}),
    ...(record === undefined ? {} : { record }),
    ...(peerRecord === undefined ? {} : { peerRecord }),
    ...(hop.usage ? { usage: hop.usage } : {}),
    ...(hop.answered ? { evidence: evidenceOf(hop.parts.hash, hop.answered) } : {}),
    ...(receipt ? { receipt } : {}),
    durationMs,
    explain,
  }
}
