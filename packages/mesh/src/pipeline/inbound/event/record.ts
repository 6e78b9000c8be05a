import { isMeshError } from '@parley/protocol'
import { shortenReason } from '../../../serving/shorten-reason.ts'
import { traceOf } from '../../../calling/traceparent.ts'
import { describeRewrite } from '../../decide-hop.ts'
import type { InboundHop } from '../../inbound-hop.ts'
import type { PipelineEnd } from '../../stage.ts'

/**
 * Writes the one record of an event that was heard, or refused although its sender is proven. Anything else is counted:
 * copies and strangers write no log without end.
 */
export function recordEvent(hop: InboundHop, end: PipelineEnd): void {
  const { parts, header, speaker, trust, decision } = hop
  if (!header || !speaker || (end.kind === 'deny' && end.stage === 'replay')) {
    if (end.kind === 'deny') parts.rejected.count(end.code)
    return
  }
  try {
    parts.audit.append({
      kind: 'event',
      side: 'listener',
      hop: header.id,
      leaf: hop.leaf,
      to: header.to,
      outcome: end.kind === 'allow' ? 'heard' : 'refused',
      ...(end.kind === 'deny' ? { code: end.code, stage: end.stage, reason: shortenReason(end.reason) } : {}),
      ...(end.kind === 'deny' && end.rule !== undefined ? { rule: end.rule } : {}),
      durationMs: Math.round((parts.clock.monotonic() - hop.startedAtMs) * 1_000) / 1_000,
      instance: header.from,
      peer: speaker.name,
      peerOwner: speaker.owner,
      ...(header.capability === undefined ? {} : { capability: header.capability }),
      ...(header.traceparent === undefined ? {} : { trace: traceOf(header.traceparent) }),
      ...(header.onBehalfOf === undefined ? {} : { onBehalfOf: header.onBehalfOf }),
      ...(trust ? { score: trust.score, tier: trust.tier } : {}),
      ...describeRewrite(hop.rewrite),
      ...(decision
        ? {
            document: decision.document,
            ...(decision.kind === 'allow' ? { rule: decision.rule } : {}),
            policy: decision.policyHash,
          }
        : {}),
    })
  } catch (error) {
    parts.logger.error('hop.unrecorded', { hop: header.id, error: isMeshError(error) ? error.message : 'not an error' })
  }
}
