import type { AuditFields } from '@parley/audit'
import { capabilityCovers, isMeshError, type EnvelopeHeader, type ErrorCode } from '@parley/protocol'
import { encodeAnswerBody, formatOutcome, joinAnswerBody } from '../../serving/answer-body.ts'
import type { CarriedBody, LoadedBody } from '../../session/carried-body.ts'
import { mailOutcome } from '../../mailbox/mail-outcome.ts'
import type { NodeParts } from '../../node/node-parts.ts'
import { codeOf, type BareOutcome } from '../../contract/outcome.ts'
import { shortenReason } from '../../serving/shorten-reason.ts'
import { endingOf } from '../../calling/command-ending.ts'
import { nextCounter } from '../../session/session.ts'
import { traceOf } from '../../calling/traceparent.ts'
import type { InboundHop } from '../inbound-hop.ts'
import type { PipelineEnd } from '../stage.ts'

/** How long an answer is valid. */
const answerLifetimeMs = 60_000

/** Stages whose refusal is never answered: the sender may be another than the header says, or the answer would settle
 * the call that the copied envelope belongs to. */
const silentStages: ReadonlySet<string> = new Set(['header', 'addressed', 'replay'])

/** Announcements come every few seconds from every stranger on the bus; what belongs to a call that ended is merely late. */
const countedTypes: ReadonlySet<string> = new Set(['event', 'part', 'accepted', 'progress', 'outcome'])

/** Writes the one record of a hop on the callee's side, weighs the caller, and answers. */
export function recordInbound(hop: InboundHop, end: PipelineEnd): Promise<void> | undefined {
  const { parts, header } = hop
  const isRequest = header?.type === 'request'
  if (!isRequest && end.kind === 'allow') return
  if (header && countedTypes.has(header.type) && end.kind === 'deny') {
    recordRejected(parts, end.code)
    return undefined
  }
  // Whoever has no session can have a key of its own, which proves nothing but that: it writes no log without end.
  const isCounted = end.kind === 'deny' && !hop.session && parts.strangerRecords.take(hop.subject.from) > 0
  const { outcome, text } = makeTellable(
    hop,
    end.kind === 'deny' && hop.outcome === undefined
      ? refusedBy(hop, end)
      : (hop.outcome ?? { kind: 'unknown', code: 'hop.stage-failed' }),
  )
  let record: number | undefined
  if (isCounted) recordRejected(parts, end.code)
  try {
    if (!isCounted) record = parts.audit.append(describe(hop, outcome, end)).seq
  } catch (error) {
    parts.logger.error('hop.unrecorded', {
      hop: header?.id,
      error: isMeshError(error) ? error.message : 'not an error',
    })
  }
  if (isRequest && header.saga !== undefined) parts.deadLetters.note(hop, outcome)
  if (isRequest && header.capability !== undefined)
    parts.stats.note(header.capability, outcome, parts.clock.monotonic() - hop.startedAtMs)
  if (isRequest && hop.session && header.capability !== undefined && couldKnowBetter(hop, outcome))
    parts.weighCaller(hop.session.peer, { capability: header.capability, leaf: hop.leaf, outcome })
  if (!header || !answered(header.type) || (end.kind === 'deny' && isSilent(end))) return
  if (hop.mailbox !== undefined) mailOutcome(hop, { outcome, text, ...(record === undefined ? {} : { record }) })
  return answer(hop, outcome, joinAnswerBody(text, record, hop.streamed))
}

/**
 * Writes the record of a command that was kept and replayed here, and tells the mailbox that its request named. Nobody else is
 * told: its sender's call ended long ago.
 */
export function recordReplayed(hop: InboundHop, end: PipelineEnd): BareOutcome {
  const { parts, header } = hop
  const { outcome, text } = makeTellable(
    hop,
    end.kind === 'deny' && hop.outcome === undefined
      ? refusedBy(hop, end)
      : (hop.outcome ?? { kind: 'unknown', code: 'hop.stage-failed' }),
  )
  try {
    const record = parts.audit.append({ ...describe(hop, outcome, end), replayed: true }).seq
    if (hop.mailbox !== undefined) mailOutcome(hop, { outcome, text, record })
  } catch (error) {
    parts.logger.error('hop.unrecorded', {
      hop: header?.id,
      error: isMeshError(error) ? error.message : 'not an error',
    })
  }
  return outcome
}

/** Room for the record number beside an outcome. */
const answerOverheadBytes = 160

/** Writes an outcome down. An output that has no JSON form, or is too large, leaves unknown what was done. */
function makeTellable(hop: InboundHop, outcome: BareOutcome): { outcome: BareOutcome; text: string } {
  const { parts, header } = hop
  const maxBytes = answerTypeOf(hop) === 'reply' ? parts.bodyCarrier.maxBytes : parts.maxBodyBytes
  try {
    const text = formatOutcome(outcome)
    if (Buffer.byteLength(text) + answerOverheadBytes <= maxBytes) return { outcome, text }
    parts.logger.error('contract.output-invalid', { hop: header?.id, problems: 'the output is too large to be sent' })
  } catch {
    parts.logger.error('contract.output-invalid', { hop: header?.id, problems: 'the output has no JSON form' })
  }
  const lost: BareOutcome = { kind: 'unknown', code: 'contract.output-invalid' }
  return { outcome: lost, text: formatOutcome(lost) }
}

/**
 * A denial by the rules of this node says nothing about its caller, which cannot know them: whoever is behind an honest
 * caller could ruin its name with a few requests. Only what its own credential does not grant it should not have asked for.
 */
function couldKnowBetter({ header, session }: InboundHop, outcome: BareOutcome): boolean {
  if (outcome.kind !== 'refused' || outcome.code !== 'policy.denied') return true
  return session?.peer.calls.some((pattern) => capabilityCovers(pattern, header?.capability ?? '')) !== true
}

/** A copy is never answered, whichever stage knew it. */
function isSilent({ stage, code }: Exclude<PipelineEnd, { readonly kind: 'allow' }>): boolean {
  return silentStages.has(stage) || code === 'iatp.replayed'
}

function answered(type: string): boolean {
  return type === 'request' || type === 'hello'
}

function refusedBy({ approval }: InboundHop, end: Exclude<PipelineEnd, { readonly kind: 'allow' }>): BareOutcome {
  const { code, reason, retryAfterMs } = end
  return {
    kind: 'refused',
    code,
    reason,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(approval ? { approval } : {}),
  }
}

function answer(hop: InboundHop, outcome: BareOutcome, whole: Uint8Array): Promise<void> | undefined {
  const { parts, header } = hop
  if (!header || (header.type === 'hello' && outcome.kind !== 'refused')) return undefined
  const nowMs = parts.clock.now()
  const type = answerTypeOf(hop)
  const isConfidential = header.sealed === true
  const loading = parts.bodyCarrier.load(whole, nowMs + answerLifetimeMs, {
    isConfidential,
    isInline: isConfidential || type !== 'reply',
  })
  if (loading instanceof Promise)
    return loading.then((loaded) => {
      postAnswer(hop, header, outcome, takeLoaded(parts, loaded), nowMs)
    })
  postAnswer(hop, header, outcome, takeLoaded(parts, loading), nowMs)
  return undefined
}

function postAnswer(
  hop: InboundHop,
  header: EnvelopeHeader,
  outcome: BareOutcome,
  { body, bodyRef }: CarriedBody,
  nowMs: number,
): void {
  const { parts, session, leaf } = hop
  // A refusal says a code and no more, also where there is no session: it is never encrypted. A reply is as its request was.
  const inSession = outcome.kind === 'refused' ? undefined : session
  const sealed = parts.sealer.seal(
    {
      type: inSession ? answerTypeOf(hop) : 'refusal',
      to: header.from,
      issuedAtMs: nowMs,
      expiresAtMs: nowMs + answerLifetimeMs,
      contentType: 'application/json',
      inReplyTo: leaf,
      ended: header.saga && inSession && endingOf(header.saga.phase, outcome),
      bodyRef,
      session: inSession?.id,
      counter: inSession && nextCounter(inSession),
      usage: inSession && hop.usage,
    },
    body,
    header.sealed === true ? inSession?.keys : undefined,
  )
  parts.sealer.post(sealed, (sent) => {
    // A lost answer leaves the caller with `unknown`; it has its own deadline.
    if (sent.kind === 'deny') parts.logger.warn('hop.answer-lost', { hop: header.id, code: sent.code })
  })
}

function answerTypeOf({ isCancelled, isAccepted }: InboundHop): 'closed' | 'completed' | 'reply' {
  if (isCancelled === true) return 'closed'
  return isAccepted === true ? 'completed' : 'reply'
}

/** An answer that the body store does not take says so: the caller need not wait to know that it does not know. */
function takeLoaded(parts: NodeParts, loaded: LoadedBody): CarriedBody {
  if (loaded.kind === 'allow') return loaded.carried
  parts.logger.error('hop.answer-lost', { code: loaded.code })
  return { body: encodeAnswerBody({ outcome: { kind: 'unknown', code: loaded.code } }) }
}

/** All records of hops have one shape, which costs the engine least: what is undefined is left out of the text. */
function describe(hop: InboundHop, outcome: BareOutcome, end: PipelineEnd): AuditFields {
  const { header, session, trust, decision, chain, usage, streamed } = hop
  const saga = header?.saga
  const refusal = end.kind === 'deny' ? end : undefined
  return {
    kind: header?.type === 'request' ? 'hop' : 'envelope',
    side: 'callee',
    type: header?.type,
    hop: header?.id,
    trace: header?.traceparent === undefined ? undefined : traceOf(header.traceparent),
    capability: header?.capability,
    durationMs: Math.round((hop.parts.clock.monotonic() - hop.startedAtMs) * 1_000) / 1_000,
    outcome: outcome.kind,
    code: codeOf(outcome),
    stage: refusal?.stage,
    reason: refusal && shortenReason(refusal.reason),
    accepted: hop.isAccepted === true ? true : undefined,
    mailed: hop.mailbox === undefined ? undefined : true,
    parts: streamed?.count,
    partsHash: streamed?.hash,
    peer: session?.peer.name,
    peerOwner: session?.peer.owner,
    instance: hop.subject.from,
    to: header?.to,
    leaf: hop.leaf,
    sealed: header?.sealed,
    onBehalfOf: header?.onBehalfOf,
    chain: header?.chain,
    root: chain?.root,
    handed: hop.handed?.chain.hash,
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
    tier: trust?.tier,
    trustOf: trust?.of,
    wouldRefuse: hop.wouldRefuse,
    document: decision?.document,
    rule: refusal?.rule ?? (decision?.kind === 'allow' ? decision.rule : undefined),
    policy: decision?.policyHash,
    approval: hop.approval?.id,
    rewrittenBy: hop.rewrite?.by,
    body: hop.rewrite?.from,
    rewritten: hop.rewrite?.to,
  }
}

/** Counts what is not worth a record of its own. It is told of once a second, so that a stranger cannot write the log. */
export function recordRejected(parts: NodeParts, code: ErrorCode): void {
  parts.rejected.count(code)
}
