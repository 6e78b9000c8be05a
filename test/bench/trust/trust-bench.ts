import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openSqliteStore } from '@parley/store-sqlite'
import type { Bench, BenchRow } from '../bench.ts'
import { createHops, listPeers, observeAll, openBenchLedger, readBenchLedger } from './trust-peers.ts'

const activePeers = 1_000
/** Below what may wait for the store. */
const piecesPerFlush = 10_000
const recomputedPieces = 1_000_000
const recomputedPeers = 10_000
const manyPeers = 100_000

const young = { type: 'minor', execution: 'sync' }

/** What trust costs a hop, a store and a memory. */
export const trustBench: Bench = {
  name: 'trust',
  about:
    'evidence of calls with 1,000 peers: applied in memory (checked, deduplicated, folded twice, judged, kept for writing), and durable (with signed batches of 1,000 in a SQLite file that is synced before anything resolves); what 100,000 peers with a piece of evidence each cost in a process of their own; and a million pieces about 10,000 peers folded anew from the file, signatures and chain checked',
  libraries: [],
  defaultRounds: 5,
  inFlight: [1],
  async run({ rounds, roundMs, log }) {
    const dir = await mkdtemp(join(tmpdir(), 'parley-bench-'))
    try {
      const applied = await measureApplied(join(dir, 'applied.db'), rounds, roundMs)
      log(`applied ${String(applied)}/s`)
      const durable = await measureDurable(join(dir, 'durable.db'), rounds, roundMs)
      log(`durable ${String(durable)}/s`)
      const memory = await measureMemory(join(dir, 'memory.db'))
      const recomputeMs = await measureRecompute(join(dir, 'recompute.db'), log)
      const rows: BenchRow[] = [
        { what: 'applied in memory', 'a second': applied },
        { what: 'durable', 'a second': durable },
        { what: '100,000 peers', 'used MB': toMb(memory.usedBytes), 'resident MB': toMb(memory.rssBytes) },
        { what: 'recompute of 1,000,000', ms: recomputeMs },
      ]
      return {
        rows,
        targets: [
          {
            name: 'evidence applied in memory a second',
            value: applied,
            target: 1_000_000,
            holds: applied >= 1_000_000,
          },
          { name: 'evidence durable a second', value: durable, target: 50_000, holds: durable >= 50_000 },
          {
            name: 'MB for 100,000 peers',
            value: toMb(memory.usedBytes),
            target: 100,
            holds: toMb(memory.usedBytes) <= 100,
          },
          {
            name: 'ms to recompute 1,000,000 pieces',
            value: recomputeMs,
            target: 3_000,
            holds: recomputeMs <= 3_000,
          },
        ],
      }
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  },
}

/**
 * Counts only the time in `observe` and that of collecting what it leaves behind; writing goes on in between, and so does
 * collecting what the making of the evidence left. The median of the rounds.
 */
async function measureApplied(path: string, rounds: number, roundMs: number): Promise<number> {
  await using store = await openStore(path)
  const ledger = await openBenchLedger(store)
  const makeHops = createHops(listPeers(activePeers))
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options: object) => void
  const rates: number[] = []
  for (let round = 0; round <= rounds; round++) {
    let spentMs = 0
    let count = 0
    while (spentMs < roundMs) {
      const seen = makeHops(piecesPerFlush)
      // What is still used after the second time is moved by none that follows.
      for (let time = 0; time < 2; time++) collect(young)
      const startMs = performance.now()
      observeAll(ledger, seen)
      collect(young)
      spentMs += performance.now() - startMs
      count += piecesPerFlush
      await ledger.flush()
    }
    // The first round is for the compiler.
    if (round > 0) rates.push(count / (spentMs / 1000))
  }
  await ledger.close()
  return median(rates)
}

/** Counts everything until it is on the disk. */
async function measureDurable(path: string, rounds: number, roundMs: number): Promise<number> {
  await using store = await openStore(path)
  const ledger = await openBenchLedger(store)
  const makeHops = createHops(listPeers(activePeers))
  const rates: number[] = []
  for (let round = 0; round <= rounds; round++) {
    let spentMs = 0
    let count = 0
    while (spentMs < roundMs) {
      const seen = makeHops(piecesPerFlush)
      const startMs = performance.now()
      observeAll(ledger, seen)
      await ledger.flush()
      spentMs += performance.now() - startMs
      count += piecesPerFlush
    }
    if (round > 0) rates.push(count / (spentMs / 1000))
  }
  await ledger.close()
  return median(rates)
}

async function measureMemory(path: string): Promise<{ readonly usedBytes: number; readonly rssBytes: number }> {
  const script = join(import.meta.dirname, 'peer-memory.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, path, String(manyPeers)])
  return JSON.parse(stdout) as { readonly usedBytes: number; readonly rssBytes: number }
}

async function measureRecompute(path: string, log: (line: string) => void): Promise<number> {
  await using store = await openStore(path)
  const ledger = await openBenchLedger(store)
  const makeHops = createHops(listPeers(recomputedPeers))
  for (let count = 0; count < recomputedPieces; count += piecesPerFlush) {
    observeAll(ledger, makeHops(piecesPerFlush))
    await ledger.flush()
  }
  await ledger.close()
  const [one = ''] = listPeers(1)
  const times: number[] = []
  for (let round = 0; round < 3; round++) {
    const startMs = performance.now()
    const again = await readBenchLedger(store)
    times.push(performance.now() - startMs)
    log(
      `recomputed ${String(again.view(one).evidenceCount)} pieces a peer in ${String(Math.round(times.at(-1) ?? 0))} ms`,
    )
    if (again.view(one).evidenceCount !== recomputedPieces / recomputedPeers) throw new Error('evidence is missing')
  }
  return Math.round(median(times))
}

async function openStore(path: string): Promise<Awaited<ReturnType<typeof openSqliteStore>> & AsyncDisposable> {
  const store = await openSqliteStore({ path })
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() })
}

function median(values: readonly number[]): number {
  return Math.round(values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0)
}

function toMb(bytes: number): number {
  return Math.round(bytes / 1e5) / 10
}
