import { allowed, formatAgentId, refuse } from '@parley/protocol'
import { decodeAnswerBody } from '../../../serving/answer-body.ts'
import { endingOf } from '../../../calling/command-ending.ts'
import { createMailedOutcome } from '../../../mailbox/create-mailed-outcome.ts'
import type { InboundHop } from '../../inbound-hop.ts'
import { peerOf } from '../../peer-of.ts'
import { left, type Stage } from '../../stage.ts'

/** Tells an outcome to all who listen to the mailbox, if there is room. What a listener throws stays here. */
export const tellOutcome: Stage<InboundHop> = {
  name: 'outcome',
  async run(hop) {
    const { parts, leaf, evidence, envelope } = hop
    const header = left(hop.header, 'the header')
    const release = parts.inFlight.enter(formatAgentId(peerOf(hop)))
    if (!release) return refuse('bulkhead.full', 'too much is being served')
    hop.release = release
    const told = decodeAnswerBody(envelope.body)
    const { saga, ended } = header
    if (!told || (saga && ended !== endingOf(saga.phase, told.outcome)))
      return refuse('iatp.outcome-mismatch', 'the body is no outcome, or another than the header says')
    const mailed = createMailedOutcome(parts, { header, leaf, evidence, responder: peerOf(hop), outcome: told.outcome })
    const heard = parts.outcomeListeners.map(async (listener) => listener(mailed))
    for (const result of await Promise.allSettled(heard)) {
      if (result.status === 'fulfilled') continue
      const error: unknown = result.reason
      parts.logger.error('contract.handler-failed', {
        leaf,
        error: error instanceof Error ? error.message : 'not an error',
      })
    }
    return allowed
  },
}
