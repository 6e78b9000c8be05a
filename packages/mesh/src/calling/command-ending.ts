import type { CommandEnding, SagaHeader } from '@parley/protocol'
import type { BareOutcome } from '../contract/outcome.ts'

const found: Readonly<Record<string, CommandEnding>> = {
  ok: 'found-ok',
  declined: 'found-declined',
  tombstone: 'found-tombstone',
  absent: 'found-absent',
}

/** Says in one word how a saga's command ended: what the header of its answer says beside the body (spec §9.10). */
export function endingOf(phase: SagaHeader['phase'], outcome: BareOutcome): CommandEnding {
  if (outcome.kind !== 'ok' || phase !== 'lookup') return outcome.kind
  const answer = (outcome.output as { readonly found?: unknown } | null)?.found
  return (typeof answer === 'string' && Object.hasOwn(found, answer) ? found[answer] : undefined) ?? 'ok'
}
