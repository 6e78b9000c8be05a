import { isMeshError, type EnvelopeHeader, type Verdict } from '@parley/protocol'
import type { VerifiedCredential } from '@parley/identity'
import { checkAnswer } from '../calling/check-answer.ts'
import type { EvidenceOf } from '../session/evidence-of.ts'
import type { NodeParts } from '../node/node-parts.ts'
import type { BareOutcome } from '../contract/outcome.ts'
import { shortenReason } from '../serving/shorten-reason.ts'
import { traceOf } from '../calling/traceparent.ts'
import type { AskedCommand, MailedOutcome } from './mailed-outcome.ts'
import { matchOutcome } from './match-outcome.ts'

/** One verified envelope from the mailbox. */
export interface Mail {
  readonly header: EnvelopeHeader
  readonly leaf: string
  readonly evidence: EvidenceOf
  readonly responder: VerifiedCredential
  readonly outcome: BareOutcome
}

/** Creates what listeners are told of an outcome that came. */
export function createMailedOutcome(parts: NodeParts, mail: Mail): MailedOutcome {
  const { header, leaf, evidence, responder } = mail
  const { inReplyTo = '', capability = ':', traceparent = '', saga, usage, issuedAtMs } = header
  const settle = async (asked: AskedCommand): ReturnType<MailedOutcome['settle']> => {
    const verdict = matchOutcome(header, responder, asked, parts.resolve(asked.of))
    const outcome =
      verdict.kind === 'allow'
        ? await checkAnswer(asked.capability, header.saga?.phase ?? 'do', mail.outcome)
        : mail.outcome
    record(parts, mail, verdict, outcome)
    return verdict.kind === 'deny' ? verdict : { kind: 'allow', outcome: outcome as never }
  }
  return {
    leaf,
    inReplyTo,
    capability,
    trace: traceOf(traceparent),
    ...(saga ? { saga } : {}),
    responder: { owner: responder.owner, name: responder.name, instance: responder.instance },
    issuedAtMs,
    ...(usage ? { usage } : {}),
    evidence,
    settle: settle as MailedOutcome['settle'],
  }
}

/** Records what was settled. Of what matches nothing only so much a second: whoever has a credential can send it. */
function record(parts: NodeParts, { header, leaf, responder }: Mail, verdict: Verdict, outcome: BareOutcome): void {
  if (verdict.kind === 'deny' && parts.strangerRecords.take(responder.instance) > 0) {
    parts.rejected.count(verdict.code)
    return
  }
  const { saga, capability = '', inReplyTo = '', traceparent = '' } = header
  try {
    parts.audit.append({
      kind: 'outcome',
      leaf,
      inReplyTo,
      capability,
      trace: traceOf(traceparent),
      peer: responder.name,
      peerOwner: responder.owner,
      instance: responder.instance,
      outcome: verdict.kind === 'allow' ? outcome.kind : 'refused',
      ...(verdict.kind === 'deny'
        ? { code: verdict.code, reason: shortenReason(verdict.reason) }
        : 'code' in outcome
          ? { code: outcome.code }
          : {}),
      ...(saga
        ? { saga: saga.id, step: saga.step, phase: saga.phase, attempt: saga.attempt, epoch: saga.epoch, key: saga.key }
        : {}),
    })
  } catch (error) {
    parts.logger.error('hop.unrecorded', { leaf, error: isMeshError(error) ? error.message : 'not an error' })
  }
}
