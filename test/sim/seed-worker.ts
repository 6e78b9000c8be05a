import { enableCompileCache, flushCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { cutSafeguard } from './cut-safeguard.ts'
import type { SeedOrder, SeedReport } from './sim-facts.ts'

// Each thread loads hundreds of sources: the next one need not strip and compile them again.
enableCompileCache()

// What is loaded depends on the order, so it is loaded after it was read.
const { safeguard, timelines } = workerData as SeedOrder
if (safeguard !== undefined) cutSafeguard(safeguard)
const { runSchedule } = await import('./run-schedule.ts')
flushCompileCache()

parentPort?.on('message', (seed: number) => {
  const tell = (report: SeedReport): void => parentPort?.postMessage(report)
  runSchedule(seed).then(
    ({ timeline, ...report }) => tell({ ...report, ...(timelines && { timeline: timeline() }) }),
    (error: unknown) => {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
      tell({ seed, breaches: [{ invariant: 1, what: `the run broke: ${what}`, atMs: 0 }], ends: {}, virtualMs: 0 })
    },
  )
})
