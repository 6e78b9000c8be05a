import { parseJsonBody } from '../serving/json-body.ts'
import type { InboundHop } from './inbound-hop.ts'
import { left } from './stage.ts'

/** Reads the body of a hop as JSON, once for all stages; undefined if it is none. */
export function readBody(hop: InboundHop): { readonly value: unknown } | undefined {
  hop.json ??= parseJsonBody(left(hop.body, 'the body')) ?? 'none'
  return hop.json === 'none' ? undefined : hop.json
}
