import { percentileOf } from './statistics.ts'

/** What a contestant did in one round. */
export interface Load {
  readonly callsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Work that was not done: any is a reason to distrust the round. */
  readonly failed: number
  readonly firstFailure?: unknown
}

/**
 * Keeps `inFlight` pieces of work going for `durationMs` and measures those that end well. The time is that of the whole
 * round, until the last piece ended.
 */
export async function measureLoad(work: () => Promise<unknown>, inFlight: number, durationMs: number): Promise<Load> {
  const latencies: number[] = []
  let failed = 0
  let firstFailure: unknown
  const startMs = performance.now()
  const endMs = startMs + durationMs
  const loop = async (): Promise<void> => {
    for (let sentMs = performance.now(); sentMs < endMs; sentMs = performance.now()) {
      try {
        await work()
        latencies.push(performance.now() - sentMs)
      } catch (error) {
        failed++
        firstFailure ??= error
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
    failed,
    ...(firstFailure === undefined ? {} : { firstFailure }),
  }
}
