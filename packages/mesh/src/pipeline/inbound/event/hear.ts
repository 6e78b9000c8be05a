import { allowed, formatAgentId, refuse, type Verdict } from '@parley/protocol'
import { parseJsonBody } from '../../../serving/json-body.ts'
import { checkSchema, type SchemaCheck } from '../../../contract/schema.ts'
import { traceOf } from '../../../calling/traceparent.ts'
import type { InboundHop } from '../../inbound-hop.ts'
import { peerOf } from '../../peer-of.ts'
import { left, type Stage } from '../../stage.ts'

/** Hands an event to its listener, if there is room and it will be recorded. What a listener throws stays here. */
export const hear: Stage<InboundHop> = {
  name: 'deliver',
  run(hop) {
    const { parts } = hop
    if (!parts.accepting()) return refuse('mesh.draining', 'the node finishes its work')
    if (!parts.audit.canAppend()) return refuse('hop.unrecorded', 'the audit log cannot take another record')
    const release = parts.inFlight.enter(formatAgentId(peerOf(hop)))
    if (!release) return refuse('bulkhead.full', 'too much is being served')
    hop.release = release
    const body = parseJsonBody(hop.envelope.body)
    if (!body) return refuse('contract.input-invalid', 'the payload is not JSON')
    const checking = checkSchema(left(hop.listening, 'who listens').event.payload, body.value)
    const heard = checking instanceof Promise ? checking.then((checked) => hand(hop, checked)) : hand(hop, checking)
    // What waits for nothing gives its place back here: a burst then takes one, not one for each of its events.
    if (!(heard instanceof Promise)) release()
    return heard
  },
}

function hand(hop: InboundHop, checked: SchemaCheck<unknown>): Verdict | Promise<Verdict> {
  if (checked.kind === 'invalid') return refuse('contract.input-invalid', checked.problems)
  const header = left(hop.header, 'the header')
  const { event, listener } = left(hop.listening, 'who listens')
  const { owner, name, instance, agentKind } = peerOf(hop)
  const { score, tier } = left(hop.trust, 'the trust')
  try {
    const heard = listener(checked.value, {
      id: header.id,
      trace: traceOf(left(header.traceparent, 'the trace')),
      capability: event.capability,
      from: { owner, name, instance, kind: agentKind, score, tier },
      issuedAtMs: header.issuedAtMs,
      ...(header.onBehalfOf === undefined ? {} : { onBehalfOf: header.onBehalfOf }),
      labels: header.labels ?? [],
    })
    if (heard === undefined) return allowed
    return Promise.resolve(heard).then(
      () => allowed,
      (error: unknown) => refuseThrown(hop, error),
    )
  } catch (error) {
    return refuseThrown(hop, error)
  }
}

function refuseThrown({ parts, header }: InboundHop, error: unknown): Verdict {
  parts.logger.error('contract.handler-failed', {
    ...(header?.capability === undefined ? {} : { capability: header.capability }),
    hop: header?.id,
    error: error instanceof Error ? error.message : 'not an error',
  })
  return refuse('contract.handler-failed', 'the listener threw')
}
