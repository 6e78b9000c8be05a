import type { BareOutcome } from '../contract/outcome.ts'

/** What a node counted of one capability since its start. */
export interface CapabilityStats {
  readonly requests: number
  /** Requests that ended failed or unknown: a decline and a refusal are no errors of the server. */
  readonly errors: number
  readonly processingMs: number
  /** The code of the last error, or nothing. */
  readonly lastError: string
}

/** Counts what a node serves, for whoever asks the NATS services API. */
export interface ServiceStats {
  note(capability: string, outcome: BareOutcome, durationMs: number): void
  of(capability: string): CapabilityStats
}

const nothing: CapabilityStats = { requests: 0, errors: 0, processingMs: 0, lastError: '' }

/** Creates the counts of the capabilities that a node serves; of others it keeps none. */
export function createServiceStats(serves: { has(capability: string): boolean }): ServiceStats {
  const counted = new Map<string, CapabilityStats>()
  const of = (capability: string): CapabilityStats => counted.get(capability) ?? nothing
  return {
    of,
    note(capability, outcome, durationMs) {
      if (!serves.has(capability)) return
      const known = of(capability)
      const isError = outcome.kind === 'failed' || outcome.kind === 'unknown'
      counted.set(capability, {
        requests: known.requests + 1,
        errors: known.errors + (isError ? 1 : 0),
        processingMs: known.processingMs + durationMs,
        lastError: isError ? outcome.code : known.lastError,
      })
    },
  }
}
