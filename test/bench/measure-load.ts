import { performance } from 'node:perf_hooks'
import { percentileOf } from './statistics.ts'

/** What a contestant did in one round. */
export interface Load {
  readonly callsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  /** Work that was done in time, and work that was not: any of the latter is a reason to distrust the round. */
  readonly calls: number
  readonly failed: number
  /** Processor time of all processes of the contestant in milliseconds; 0 where nobody counted it. */
  readonly cpuMs: number
  /** How late the event loop was at the 99th percentile, in milliseconds, where somebody measured it. */
  readonly loopDelayP99Ms?: number
  /** What the first failed work said. */
  readonly firstFailure?: string
}

/**
 * Keeps `inFlight` pieces of work going for `durationMs` and measures those that end well. The time is that of the whole
 * round, until the last piece ended.
 */
export async function measureLoad(work: () => Promise<unknown>, inFlight: number, durationMs: number): Promise<Load> {
  const latencies: number[] = []
  let failed = 0
  let firstFailure: string | undefined
  const startMs = performance.now()
  const endMs = startMs + durationMs
  const loop = async (): Promise<void> => {
    for (let sentMs = performance.now(); sentMs < endMs; sentMs = performance.now()) {
      try {
        await work()
        latencies.push(performance.now() - sentMs)
      } catch (error) {
        failed++
        firstFailure ??= error instanceof Error ? error.message : String(error)
      }
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
  const elapsedMs = performance.now() - startMs
  const sorted = Float64Array.from(latencies).sort()
  return {
    callsPerSecond: (latencies.length * 1000) / elapsedMs,
    p50Ms: percentileOf(sorted, 0.5),
    p99Ms: percentileOf(sorted, 0.99),
    p999Ms: percentileOf(sorted, 0.999),
    calls: latencies.length,
    failed,
    cpuMs: 0,
    ...(firstFailure === undefined ? {} : { firstFailure }),
  }
}
