import { hourOf, weekdayOf, type PolicyInput } from '@parley/policy'

/**
 * Lays out a hop as the document `input`: the names of the rules of `parley/v1`, with the parsed body as `body`. Throws what
 * reading the body throws.
 */
export function regoInputOf(hop: PolicyInput): Readonly<Record<string, unknown>> {
  const { nowMs } = hop.time
  return {
    ...hop,
    peer: hop.direction === 'inbound' ? hop.caller : hop.callee,
    objective: hop.objective(),
    body: hop.body(),
    time: { nowMs, hour: hourOf(nowMs), weekday: weekdayOf(nowMs) },
  }
}
