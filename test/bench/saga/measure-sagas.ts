import { monitorEventLoopDelay } from 'node:perf_hooks'
import { measureLoad, type Load } from '../measure-load.ts'

const resolutionMs = 1
const nanosecondsPerMs = 1e6

/** Measures a load, and how late the event loop of this process was meanwhile. */
export async function measureSagas(work: () => Promise<unknown>, inFlight: number, durationMs: number): Promise<Load> {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs })
  delays.enable()
  const load = await measureLoad(work, inFlight, durationMs)
  delays.disable()
  return { ...load, loopDelayP99Ms: Math.max(0, delays.percentile(99) / nanosecondsPerMs - resolutionMs) }
}
