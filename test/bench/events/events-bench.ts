import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Bench, BenchRow } from '../bench.ts'

const run = promisify(execFile)

/** As many as a listener remembers of one sender, and so the largest burst that is heard whole. */
const burst = 4_096

/** What it takes to tell and to hear a burst of events, both ends in one process. */
export const eventsBench: Bench = {
  name: 'events',
  about: `a burst of ${String(burst)} events that one node emits in one turn and another hears, over a bus in memory: both ends, their policies and their audit logs in one fresh process a round, so that what is measured is work and not waiting`,
  libraries: [],
  defaultRounds: 3,
  inFlight: [burst],
  async run({ rounds, log }) {
    const rows: BenchRow[] = []
    for (let round = 1; round <= rounds; round++) {
      const { stdout } = await run(process.execPath, [join(import.meta.dirname, 'events-burst.ts'), String(burst)])
      rows.push({ round, ...(JSON.parse(stdout) as BenchRow) })
      log(`round ${String(round)} is done`)
    }
    const value = Math.max(...rows.map((row) => Number(row['ed25519Checks']) / Number(row['frames'])))
    // Heartbeats of the two nodes may fall into a round.
    return { rows, targets: [{ name: 'Ed25519 checks a frame', value, target: 1.1, holds: value <= 1.1 }] }
  },
}
