import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BenchRow } from '../bench.ts'
import { measureGroup } from './group-cost.ts'
import { measureJournal } from './journal-size.ts'
import type { RecoveryFigures } from './recovery.ts'
import type { WaitingFigures } from './waiting-sagas.ts'

const waitingSagas = 100_000
const wokenSagas = 1_000
const orphans = 10_000
const branches = 100
const bytesPerMb = 1e6
const msPerSecond = 1_000

/** What sagas cost besides the load: each is a row, measured in a folder of its own. */
export const standing: Readonly<Record<string, (dir: string) => Promise<BenchRow>>> = {
  async waiting(dir) {
    const figures = await runScript<WaitingFigures>('waiting', dir, [waitingSagas, wokenSagas])
    return {
      sagas: figures.sagas,
      residentMb: round(figures.residentBytes / bytesPerMb),
      usedMb: round(figures.usedBytes / bytesPerMb),
      wakeP50Ms: round(figures.wakeP50Ms),
      wakeMaxMs: round(figures.wakeMaxMs),
    }
  },
  async recovery(dir) {
    const figures = await runScript<RecoveryFigures>('recovery', dir, [orphans])
    return {
      orphans: figures.orphans,
      adoptedSeconds: round(figures.adoptedMs / msPerSecond),
      seconds: round(figures.endedMs / msPerSecond),
      storm: figures.storm,
    }
  },
  journal: async () => ({ ...(await measureJournal()) }),
  group: async () => ({ ...(await measureGroup(branches)) }),
}

/** Measures in a process with nothing else in it. */
async function runScript<Figures>(what: string, dir: string, counts: readonly number[]): Promise<Figures> {
  await mkdir(dir, { recursive: true })
  const script = join(import.meta.dirname, 'waiting-process.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, what, dir, ...counts.map(String)])
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Figures
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
