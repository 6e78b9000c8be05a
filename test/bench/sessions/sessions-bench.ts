import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { initFileIssuer, openFileIssuer } from '@parley/identity'
import { findNatsServer, startNatsServer } from '@parley/nats-server'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import type { InstanceDid } from '@parley/protocol'
import type { Bench, BenchRow } from '../bench.ts'
import { startHost } from './host-process.ts'
import { connectPeerFarm } from './peer-farm.ts'

/** Handshakes and calls of a few peers before the first look. */
const warmUpShakes = 4_000
const levels = [5_000, 10_000, 15_000, 20_000] as const
const targetBytes = 4_096

/** What a peer costs in memory that has a session and is silent. */
export const sessionsBench: Bench = {
  name: 'sessions',
  about:
    'resident memory of one node, in a process of its own, for each of 20,000 peers of different names that shook hands (with a key share), called once over nats-server, and then keep their session without a word; peers that only call do not announce themselves, and log and ledger are in a SQLite file. What any node pays once, peers or not, is not counted: what stands after 4,000 handshakes and 1,100 commits',
  libraries: ['@nats-io/transport-node'],
  defaultRounds: 1,
  inFlight: [1],
  async run({ log }) {
    const cacheDir = join(import.meta.dirname, '../../../.parley/cache')
    const binary = await findNatsServer({ env: process.env, cacheDir, log })
    const dir = await mkdtemp(join(tmpdir(), 'parley-bench-'))
    const ports = { clock: createSystemClock(), random: createSystemRandom() }
    try {
      await initFileIssuer({ dir: join(dir, 'issuer'), alias: 'bench', ...ports })
      await using server = await startNatsServer({ binary })
      await using host = await startHost(server.url, dir)
      const issuer = await openFileIssuer({ dir: join(dir, 'issuer'), ...ports })
      const { instance } = await host.look()
      await using farm = await connectPeerFarm(server.url, issuer, instance as InstanceDid)
      await farm.warmUp(warmUpShakes)
      const before = await host.look()
      const rows: BenchRow[] = []
      for (const [at, peers] of levels.entries()) {
        await farm.open(levels[at - 1] ?? 0, peers)
        const now = await host.look()
        rows.push({
          peers,
          rssMiB: Math.round(now.rssBytes / 2 ** 20),
          rssBytesPerPeer: Math.round((now.rssBytes - before.rssBytes) / peers),
          heapBytesPerPeer: Math.round((now.heapBytes - before.heapBytes) / peers),
        })
        log(`${String(peers)} peers have a session`)
      }
      const value = Number(rows.at(-1)?.['rssBytesPerPeer'])
      const name = `bytes of resident memory a peer, of ${String(levels.at(-1))}`
      return { rows, targets: [{ name, value, target: targetBytes, holds: value <= targetBytes }] }
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  },
}
