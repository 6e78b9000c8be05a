import { encodeAnswerBody, joinAnswerBody } from '../serving/answer-body.ts'
import { endingOf } from '../calling/command-ending.ts'
import type { BareOutcome } from '../contract/outcome.ts'
import type { InboundHop } from '../pipeline/inbound-hop.ts'

/** How long an outcome in a mailbox is valid, in milliseconds: as an answer to an inbox. */
const mailLifetimeMs = 60_000

/**
 * Sends the outcome of a request to the mailbox that it named, beside the answer to its sender. It stands for itself: it
 * carries the credential of its signer, since who reads it has no session. What was asked for in secret, or is too large,
 * is withheld: the reader looks it up.
 */
export function mailOutcome(
  hop: InboundHop,
  { outcome, text, record }: { readonly outcome: BareOutcome; readonly text: string; readonly record?: number },
): void {
  const { parts, header, mailbox, leaf } = hop
  if (!header || mailbox === undefined) return
  const { capability, contract, traceparent, saga } = header
  if (capability === undefined || contract === undefined || traceparent === undefined) return
  const whole = joinAnswerBody(text, record, hop.streamed)
  const isTold = whole.length <= parts.maxBodyBytes && (header.sealed !== true || outcome.kind === 'refused')
  const withheld = (): Uint8Array =>
    encodeAnswerBody({
      outcome: { kind: 'unknown', code: 'iatp.outcome-withheld' },
      ...(record === undefined ? {} : { record }),
    })
  const issuedAtMs = parts.clock.now()
  const { credential, statement } = parts.issued()
  const sealed = parts.sealer.seal(
    {
      type: 'outcome',
      to: mailbox,
      issuedAtMs,
      expiresAtMs: issuedAtMs + mailLifetimeMs,
      contentType: 'application/json',
      capability,
      contract,
      traceparent,
      ...(saga ? { saga } : {}),
      ...(hop.usage ? { usage: hop.usage } : {}),
      inReplyTo: leaf,
      ended: saga && (isTold ? endingOf(saga.phase, outcome) : 'unknown'),
      credential,
      statement,
    },
    isTold ? whole : withheld(),
  )
  parts.sealer.post(sealed, (sent) => {
    if (sent.kind === 'deny') parts.logger.warn('hop.answer-lost', { hop: header.id, type: 'outcome', code: sent.code })
  })
}
