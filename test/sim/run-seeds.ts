import { Worker } from 'node:worker_threads'
import type { SafeguardName } from './safeguards.ts'
import type { SeedOrder, SeedReport } from './sim-facts.ts'

/** Which seeds are run, and how. */
export interface SeedRun {
  readonly from: number
  readonly count: number
  /** Real threads; what a seed does has nothing to do with them. */
  readonly jobs: number
  readonly safeguard?: SafeguardName
  /** Ends at the first seed that breaks an invariant. */
  readonly stopsAtBreach: boolean
  readonly timelines?: boolean
  readonly onReport?: (report: SeedReport) => void
}

/** What seeds ended in. */
export interface SeedSummary {
  readonly runs: number
  /** Seeds that broke an invariant, lowest first. */
  readonly broken: readonly SeedReport[]
  /** How many sagas ended how. */
  readonly ends: Readonly<Record<string, number>>
}

/** Runs seeds in threads of their own. */
export async function runSeeds(run: SeedRun): Promise<SeedSummary> {
  const { from, count, jobs, safeguard, stopsAtBreach, timelines = false } = run
  const broken: SeedReport[] = []
  const ends: Record<string, number> = {}
  let next = from
  let runs = 0
  const isOver = (): boolean => next >= from + count || (stopsAtBreach && broken.length > 0)
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const workerData: SeedOrder = { timelines, ...(safeguard && { safeguard }) }
      const worker = new Worker(new URL('./seed-worker.ts', import.meta.url), { workerData })
      const goOn = (): void => {
        if (isOver()) void worker.terminate().then(() => resolve())
        else worker.postMessage(next++)
      }
      worker.on('error', reject)
      worker.on('message', (report: SeedReport) => {
        runs++
        if (report.breaches.length > 0) broken.push(report)
        for (const end of Object.values(report.ends)) ends[end] = (ends[end] ?? 0) + 1
        run.onReport?.(report)
        goOn()
      })
      goOn()
    })
  await Promise.all(Array.from({ length: Math.min(jobs, count) }, work))
  return { runs, broken: broken.toSorted((left, right) => left.seed - right.seed), ends }
}
