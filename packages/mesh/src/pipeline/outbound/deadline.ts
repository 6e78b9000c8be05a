import { allowed, refuse } from '@parley/protocol'
import type { OutboundHop } from '../outbound-hop.ts'
import type { Stage } from '../stage.ts'

/** Milliseconds that a call may take unless it says otherwise. */
export const defaultDeadlineMs = 5_000

/** Fixes how long the call may take. Time is passed on as what remains, never as a wall-clock moment. */
export const deadline: Stage<OutboundHop> = {
  name: 'deadline',
  run(hop) {
    const { deadlineMs = defaultDeadlineMs, signal } = hop.options
    if (!(deadlineMs > 0)) return refuse('deadline.exceeded', 'no time is left for the call')
    if (signal?.aborted === true) return refuse('hop.cancelled', 'the call was cancelled before it was sent')
    hop.deadlineAtMs = hop.startedAtMs + deadlineMs
    return allowed
  },
}
