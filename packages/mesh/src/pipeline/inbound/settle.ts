import { allowed, refuse } from '@parley/protocol'
import type { Answer } from '../../calling/pending-answers.ts'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Hands an answer to the call that waits for it: right instance, right leaf, once. */
export const settle: Stage<InboundHop> = {
  name: 'settle',
  run({ parts, header, envelope, body, inFrame, leaf }) {
    const answer: Answer = {
      header: left(header, 'the header'),
      body: body ?? envelope.body,
      leaf,
      inFrame: left(inFrame, 'the frame'),
    }
    return parts.pending.settle(answer) ? allowed : refuse('iatp.misaddressed', 'nobody waits for this answer')
  },
}
