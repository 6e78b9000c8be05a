import type { Random } from '@parley/ports'

/** Makes a W3C trace id: 32 hex digits, not all zero. */
export function createTraceId(random: Random): string {
  const id = Buffer.from(random.bytes(16)).toString('hex')
  return /^0+$/.test(id) ? createTraceId(random) : id
}

/** Formats a W3C `traceparent` with a fresh span id, always sampled. */
export function formatTraceparent(trace: string, random: Random): string {
  const span = Buffer.from(random.bytes(8)).toString('hex')
  return /^0+$/.test(span) ? formatTraceparent(trace, random) : `00-${trace}-${span}-01`
}

/** Reads the trace id of a `traceparent` that passed the header check. */
export function traceOf(traceparent: string): string {
  return traceparent.slice(3, 35)
}
