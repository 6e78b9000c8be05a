import type { BreakerVerdict } from './breaker.ts'

/** The five ends of a call. */
export type OutcomeKind = 'ok' | 'declined' | 'refused' | 'failed' | 'unknown'

/**
 * What each outcome means for objective and breaker. A decline is the handler at work: good. A refusal is the mesh's word,
 * so it says nothing of the callee. What nobody knows is bad here, and no evidence against the peer.
 */
const verdicts: Readonly<Record<OutcomeKind, BreakerVerdict>> = {
  ok: 'good',
  declined: 'good',
  refused: 'neutral',
  failed: 'bad',
  unknown: 'bad',
}

/** Looks up what an outcome means for objective and breaker. */
export function verdictOf(outcome: OutcomeKind): BreakerVerdict {
  return verdicts[outcome]
}
