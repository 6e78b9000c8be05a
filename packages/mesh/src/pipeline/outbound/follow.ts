import { allowed, limits, refuse, type Verdict } from '@parley/protocol'
import { parseJsonBody } from '../../serving/json-body.ts'
import type { Answer, WaitingAnswer } from '../../calling/pending-answers.ts'
import { nextCounter } from '../../session/session.ts'
import { checkSchema } from '../../contract/schema.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import { left } from '../stage.ts'

/** How long a caller that takes its call back waits to hear what became of it, in milliseconds. */
export const cancelPatienceMs = 1_000

/**
 * Follows a call that was sent until its end: parts go to the receiver, a lease takes the place of the deadline, and an
 * abort asks the callee what was done. Returns what stops it.
 */
export function followCall(hop: OutboundHop, waiting: WaitingAnswer): () => void {
  const { parts, options, contract, receiver } = hop
  const { leaf } = left(hop.sealed, 'the envelope')
  const session = left(hop.session, 'the session')
  const takeLease = (told: Answer): Verdict => {
    if (!contract.progress) return refuse('iatp.misaddressed', `${contract.capability} is no long work`)
    // Whoever took its call back waits no longer because the callee goes on.
    if (hop.isCancelled === true) return allowed
    hop.isLeased = true
    waiting.renew(Math.min(told.header.leaseMs ?? 0, limits.leaseMs))
    if (told.header.type === 'progress') void tellProgress(hop, told)
    return allowed
  }
  const isFollowed = receiver !== undefined || contract.progress !== undefined
  if (isFollowed)
    parts.ongoing.set(leaf, {
      callee: session.peer.instance,
      take(told) {
        if (hop.isConfidential === true && told.header.sealed !== true) {
          // Ends a stream; a lease that nobody may believe is not renewed, and lapses.
          receiver?.fail('iatp.confidentiality-required')
          return refuse('iatp.confidentiality-required', 'what is said of this call must be encrypted')
        }
        if (told.header.type !== 'part') return takeLease(told)
        return receiver ? receiver.take(told) : refuse('iatp.misaddressed', 'no parts were asked for')
      },
    })
  if (receiver) {
    parts.note({
      kind: 'stream',
      event: 'opened',
      side: 'caller',
      hop: hop.id,
      leaf,
      capability: contract.capability,
      peer: session.peer.name,
    })
  }
  receiver?.open((credit) => {
    const issuedAtMs = parts.clock.now()
    void parts.sealer.send(
      parts.sealer.seal(
        {
          type: 'part',
          to: session.peer.instance,
          issuedAtMs,
          expiresAtMs: issuedAtMs + limits.skewMs,
          session: session.id,
          counter: nextCounter(session),
          credit,
          inReplyTo: leaf,
        },
        new Uint8Array(),
      ),
    )
  })
  const takeBack = (): void => {
    hop.isCancelled = true
    parts.cancelAtCallee(session, leaf)
    waiting.renew(cancelPatienceMs)
  }
  if (options.signal?.aborted === true) takeBack()
  else options.signal?.addEventListener('abort', takeBack, { once: true })
  return () => {
    if (isFollowed) parts.ongoing.delete(leaf)
    options.signal?.removeEventListener('abort', takeBack)
  }
}

/** Tells the caller how far the work is. What its listener throws is its own affair and ends no call. */
async function tellProgress({ parts, options, contract, id }: OutboundHop, { body }: Answer): Promise<void> {
  const value = parseJsonBody(body)
  if (!value || !contract.progress || !options.onProgress) return
  try {
    const checked = await checkSchema(contract.progress, value.value)
    if (checked.kind === 'valid') options.onProgress(checked.value)
    else parts.logger.warn('contract.output-invalid', { hop: id, problems: checked.problems })
  } catch (error) {
    parts.logger.error('contract.handler-failed', {
      hop: id,
      error: error instanceof Error ? error.message : 'not an error',
    })
  }
}
