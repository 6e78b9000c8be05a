import type { PolicyInput } from '@parley/policy'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

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
    // The epoch was a Thursday.
    time: { nowMs, hour: Math.floor(nowMs / hourMs) % 24, weekday: (Math.floor(nowMs / dayMs) + 4) % 7 },
  }
}
