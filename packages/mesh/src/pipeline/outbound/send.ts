import { allowed, createEvidence, refuse, type EnvelopeType, type Verdict } from '@parley/protocol'
import type { CallOptions } from '../../calling/call-options.ts'
import { decodeAnswerBody, type AnswerBody } from '../../serving/answer-body.ts'
import { endingOf } from '../../calling/command-ending.ts'
import { checkAnswer } from '../../calling/check-answer.ts'
import type { Answer, NoAnswer } from '../../calling/pending-answers.ts'
import type { BareOutcome } from '../../contract/outcome.ts'
import { findOtherField } from '../../mailbox/match-outcome.ts'
import { markHanded } from '../../session/session.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import { left, type Stage } from '../stage.ts'
import { followCall } from './follow.ts'
import { sealRequest } from './seal.ts'

/** Refusals that say that the callee lost what the session should hold: shake hands and send once more. */
const forgotten: ReadonlySet<string> = new Set(['iatp.session-unknown', 'delegation.unknown'])

/** When to try again where nobody listened, in milliseconds: long enough for an instance to reconnect. */
const retryAfterBounceMs = 1_000

/** Sends the request and waits for its answer until the deadline. A throw of the bus proves that nothing was sent. */
export const send: Stage<OutboundHop> = {
  name: 'send',
  run: (hop) =>
    sendOnce(hop).then((first) =>
      first.kind === 'deny' && forgotten.has(first.code) && hop.sent === true ? sendAgain(hop) : first,
    ),
}

async function sendAgain(hop: OutboundHop): Promise<Verdict> {
  // Other calls may still wait for their answers in this session.
  hop.parts.sessions.retire(left(hop.session, 'the session').id)
  hop.sent = false
  const sealed = await sealRequest(hop)
  return sealed.kind === 'deny' ? sealed : sendOnce(hop)
}

async function sendNoted(hop: OutboundHop, beforeSend: NonNullable<CallOptions['beforeSend']>): Promise<Verdict> {
  const { instance, owner, name } = left(hop.peer, 'the peer').credential
  await beforeSend({ leaf: left(hop.sealed, 'the envelope').leaf, peer: { owner, name, instance } })
  return exchange(hop)
}

function sendOnce(hop: OutboundHop): Promise<Verdict> {
  const { beforeSend } = hop.options
  return beforeSend ? sendNoted(hop, beforeSend) : exchange(hop)
}

function exchange(hop: OutboundHop): Promise<Verdict> {
  const { parts } = hop
  const sealed = left(hop.sealed, 'the envelope')
  const { instance } = left(hop.peer, 'the peer').credential
  const leftMs = Math.max(1, left(hop.deadlineAtMs, 'the deadline') - parts.clock.monotonic())
  const waiting = parts.pending.wait(sealed.leaf, instance, leftMs)
  let unsent: Verdict | undefined
  let stop: (() => void) | undefined
  parts.sealer.post(sealed, (sent, inFrame) => {
    if (sent.kind === 'deny') {
      unsent = sent
      waiting.cancel()
      return
    }
    hop.sent = true
    if (hop.options.saga && inFrame)
      hop.command = {
        evidence: () => createEvidence(parts.hash, inFrame.frame, inFrame.index),
        credential: parts.issued(),
      }
    stop = followCall(hop, waiting)
  })
  return waiting.answer.then((answer) => {
    stop?.()
    return unsent ?? readAnswer(hop, answer)
  })
}

function readAnswer(hop: OutboundHop, answer: Answer | NoAnswer): Verdict | Promise<Verdict> {
  if (typeof answer === 'string') return readSilence(hop, answer)
  hop.answered = answer.inFrame
  const { bodyRef } = answer.header
  if (!bodyRef) return readBody(hop, answer, answer.body)
  const leftMs = left(hop.deadlineAtMs, 'the deadline') - hop.parts.clock.monotonic()
  return hop.parts.bodyCarrier.unload({ body: answer.body, bodyRef }, leftMs).then((unloaded) => {
    if (unloaded.kind === 'allow') return readBody(hop, answer, unloaded.body)
    hop.outcome = { kind: 'unknown', code: unloaded.code }
    return allowed
  })
}

/** Says how a call ended that nobody answered. */
function readSilence(hop: OutboundHop, why: NoAnswer): Verdict {
  const { parts } = hop
  const { instance } = left(hop.peer, 'the peer').credential
  if (why === 'undelivered') {
    hop.sent = false
    parts.directory.suspect(instance)
    return refuse('transport.no-listener', `nobody listens at ${instance}`, { retryAfterMs: retryAfterBounceMs })
  }
  if (why === 'revoked') {
    // It was sent, and whoever could have said what was done may no longer be believed.
    hop.outcome = { kind: 'unknown', code: 'identity.revoked' }
  } else if (why === 'cancelled') {
    hop.outcome = { kind: 'unknown', code: 'hop.cancelled' }
    parts.cancelAtCallee(left(hop.session, 'the session'), left(hop.sealed, 'the envelope').leaf)
  } else if (hop.isCancelled === true) {
    hop.outcome = { kind: 'unknown', code: hop.receiver?.failure() ?? 'hop.cancelled' }
  } else {
    hop.outcome = { kind: 'unknown', code: hop.isLeased === true ? 'deadline.lease-lapsed' : 'deadline.exceeded' }
    parts.directory.suspect(instance)
  }
  return allowed
}

function readBody(hop: OutboundHop, answer: Answer, body: Uint8Array): Verdict | Promise<Verdict> {
  const told = decodeAnswerBody(body)
  // A reply belongs to a session, which orders and expiry end; no other type may say that something was done.
  if (!told || !fits(hop, told.outcome.kind, answer.header.type) || isOfAnother(hop, answer.header)) {
    hop.outcome = { kind: 'unknown', code: 'contract.output-invalid' }
    return allowed
  }
  const { saga } = hop.options
  if (saga && answer.header.type !== 'refusal' && answer.header.ended !== endingOf(saga.phase, told.outcome)) {
    hop.outcome = { kind: 'unknown', code: 'contract.output-invalid' }
    return allowed
  }
  if (hop.isConfidential === true && told.outcome.kind !== 'refused' && answer.header.sealed !== true) {
    hop.outcome = { kind: 'unknown', code: 'iatp.confidentiality-required' }
    return allowed
  }
  if (told.record !== undefined) hop.peerRecord = told.record
  if (told.outcome.kind !== 'refused') rememberSent(hop)
  if (answer.header.usage) hop.usage = answer.header.usage
  const { contract, options } = hop
  const checking = checkAnswer(contract, options.saga?.phase ?? 'do', told.outcome)
  if (checking instanceof Promise) return checking.then((outcome) => conclude(hop, told, outcome))
  return conclude(hop, told, checking)
}

function conclude(hop: OutboundHop, told: AnswerBody, checked: BareOutcome): Verdict {
  hop.outcome = checkParts(hop, told, checked)
  if (told.outcome.kind !== 'refused') return allowed
  const { code, reason, retryAfterMs, approval } = told.outcome
  if (approval) hop.approval = approval
  return refuse(code, reason, retryAfterMs === undefined ? {} : { retryAfterMs })
}

/** A call that was taken back is answered by `closed`, work that was taken on by `completed`. */
function fits({ isCancelled, contract }: OutboundHop, kind: BareOutcome['kind'], type: EnvelopeType): boolean {
  if (kind === 'refused') return type === 'refusal'
  if (type === 'closed') return isCancelled === true
  return type === 'reply' || (type === 'completed' && contract.progress !== undefined)
}

/** A reply names its request by its leaf and need not name the command; one that does, and another, is of neither (T10). */
function isOfAnother({ options }: OutboundHop, { saga }: Answer['header']): boolean {
  return saga !== undefined && (!options.saga || findOtherField(saga, options.saga) !== undefined)
}

/** A stream of which parts are missing, or others were taken than were sent, did not end well, whatever its end says. */
function checkParts({ receiver }: OutboundHop, told: AnswerBody, outcome: BareOutcome): BareOutcome {
  const failure = receiver?.failure()
  if (!receiver || outcome.kind === 'refused') return outcome
  if (failure !== undefined) return { kind: 'unknown', code: failure }
  const taken = receiver.tally()
  const sent = told.parts ?? { count: 0, hash: taken.hash }
  if (outcome.kind !== 'ok' || (taken.count === sent.count && taken.hash === sent.hash)) return outcome
  return { kind: 'unknown', code: 'stream.part-lost' }
}

/** The callee holds now what travelled whole: from here on its hash is enough. */
function rememberSent({ chain, handed, session }: OutboundHop): void {
  if (!session) return
  if (chain) session.sentChains = (session.sentChains ?? new Set()).add(chain.hash)
  if (handed) session.sentChains = (session.sentChains ?? new Set()).add(markHanded(handed.hash))
}
