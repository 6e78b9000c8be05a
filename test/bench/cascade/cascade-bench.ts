import { join } from 'node:path'
import { findNatsServer, startNatsServer } from '@parley/nats-server'
import type { Bench, BenchRow, BenchTarget } from '../bench.ts'
import { startBenchProcess, type BenchProcess } from '../bench-process.ts'
import { createParleyMesh } from '../hop/parley-mesh.ts'

const agents = 50
/** How long a tool takes, in milliseconds: nothing, and about as long as a cache or a data base does. */
const toolTimesMs = [0, 20]
const maxRatio = 2
const kinds = ['governed', 'plain'] as const

/** 50 agents that each use six tools in two parallel chains, with governance and without. */
export const cascadeBench: Bench = {
  name: 'cascade',
  about:
    '50 agents, each of which begins a task every half second: two chains of three tool calls at the same time, 300-byte ' +
    'bodies, two processes over a real nats-server. Governed: every agent and tool is a node of its own with its own key, signed ' +
    'both ways, 100 policy rules at both sides, trust, audit; the tools keep theirs in a SQLite file each, the agents, which share a disk here, in memory. Plain: request() of the NATS client, a ' +
    'connection each. What counts is the whole task',
  libraries: ['@nats-io/transport-node'],
  defaultRounds: 5,
  defaultSeconds: 5,
  inFlight: [agents],
  async run({ rounds, roundMs, log }) {
    const binary = await findNatsServer({
      env: process.env,
      cacheDir: join(import.meta.dirname, '../../../.parley/cache'),
      log,
    })
    await using server = await startNatsServer({ binary })
    await using mesh = await createParleyMesh()
    const rows: BenchRow[] = []
    for (const toolMs of toolTimesMs) {
      await using stack = new AsyncDisposableStack()
      const callers: { readonly kind: string; readonly process: BenchProcess }[] = []
      for (const kind of kinds) {
        const args = [server.url, mesh.dir, String(toolMs), String(agents)]
        const start = async (script: string): Promise<BenchProcess> =>
          stack.use(await startBenchProcess(join(import.meta.dirname, `${kind}-${script}.ts`), args))
        await start('tools')
        callers.push({ kind, process: await start('agents') })
      }
      for (let round = 0; round <= rounds; round++) {
        log(`tools of ${String(toolMs)} ms: ${round === 0 ? 'warm-up' : `round ${String(round)} of ${String(rounds)}`}`)
        // The first round that counts begins anew.
        for (const { process } of callers) await process.measure(round < 2 ? -agents : agents, roundMs)
      }
      for (const { kind, process } of callers) {
        const { cpuMs: _, ...facts } = await process.facts()
        rows.push({ toolMs, contestant: kind, ...facts })
      }
    }
    return { rows, targets: toolTimesMs.map((toolMs) => decideTarget(toolMs, rows)) }
  },
}

function decideTarget(toolMs: number, rows: readonly BenchRow[]): BenchTarget {
  const p999Of = (kind: string): number =>
    Number(rows.find((row) => row['toolMs'] === toolMs && row['contestant'] === kind)?.['p999Ms'])
  const value = Math.round((p999Of('governed') / p999Of('plain')) * 100) / 100
  return {
    name: `p99.9 of a task, governed to plain, tools of ${String(toolMs)} ms`,
    value,
    target: maxRatio,
    holds: value <= maxRatio,
  }
}
