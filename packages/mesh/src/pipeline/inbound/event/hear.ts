import { allowed, refuse } from '@parley/protocol'
import { parseJsonBody } from '../../../json-body.ts'
import { checkSchema } from '../../../schema.ts'
import { traceOf } from '../../../traceparent.ts'
import type { InboundHop } from '../../inbound-hop.ts'
import { peerOf } from '../../peer-of.ts'
import { left, type Stage } from '../../stage.ts'

/** Hands an event to its listener, if there is room and it will be recorded. What a listener throws stays here. */
export const hear: Stage<InboundHop> = {
  name: 'deliver',
  async run(hop) {
    const { parts } = hop
    const header = left(hop.header, 'the header')
    const { event, listener } = left(hop.listening, 'who listens')
    if (!parts.accepting()) return refuse('mesh.draining', 'the node finishes its work')
    if (!parts.audit.canAppend()) return refuse('hop.unrecorded', 'the audit log cannot take another record')
    const release = parts.inFlight.enter()
    if (!release) return refuse('bulkhead.full', 'too much is being served')
    hop.release = release
    const body = parseJsonBody(hop.body ?? hop.envelope.body)
    if (!body) return refuse('contract.input-invalid', 'the payload is not JSON')
    const checked = await checkSchema(event.payload, body.value)
    if (checked.kind === 'invalid') return refuse('contract.input-invalid', checked.problems)
    const { owner, name, instance, agentKind } = peerOf(hop)
    const { score, tier } = left(hop.trust, 'the trust')
    try {
      await listener(checked.value, {
        id: header.id,
        trace: traceOf(left(header.traceparent, 'the trace')),
        capability: event.capability,
        from: { owner, name, instance, kind: agentKind, score, tier },
        issuedAtMs: header.issuedAtMs,
        ...(header.onBehalfOf === undefined ? {} : { onBehalfOf: header.onBehalfOf }),
        labels: header.labels ?? [],
      })
      return allowed
    } catch (error) {
      parts.logger.error('contract.handler-failed', {
        capability: event.capability,
        hop: header.id,
        error: error instanceof Error ? error.message : 'not an error',
      })
      return refuse('contract.handler-failed', 'the listener threw')
    }
  },
}
