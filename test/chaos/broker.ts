import { jetstreamManager } from '@nats-io/jetstream'
import type { RunningNatsServer } from '@parley/nats-server'
import type { Store } from '@parley/ports'
import { dialNats } from '@parley/transport-nats'
import { openStore, startJetStream } from '../nats/broker-store.ts'
import { findPorts } from '../nats/find-ports.ts'
import type { Stage } from './chaos-plan.ts'
import { storeName } from './setup.ts'

/** The servers of a run. */
export interface Broker {
  readonly urls: readonly string[]
  /** Kills one server, of a cluster the leader of the journal, and returns what brings it back. */
  kill(): Promise<() => Promise<void>>
  /** Stops one server, and returns what lets it go on. */
  pause(): Promise<() => Promise<void>>
  stop(): Promise<void>
}

/** How long a store looks for an answer: longer than a broker is gone. */
const patienceMs = 20_000

/** Starts one server, or three that replicate. */
export async function startBroker(stage: Stage): Promise<Broker> {
  const servers = stage === 'cluster' ? await startCluster() : [await startJetStream()]
  const urls = servers.map(({ url }) => url)
  const stopped = new Set<number>()
  const pick = async (): Promise<RunningNatsServer> => {
    const [only] = servers
    if (!only) throw new TypeError('a broker without servers')
    return servers.length === 1 ? only : (servers[await findLeader(urls)] ?? only)
  }
  return {
    urls,
    async kill() {
      const server = await pick()
      await server.kill()
      return () => server.restart()
    },
    async pause() {
      const { pid } = await pick()
      process.kill(pid, 'SIGSTOP')
      stopped.add(pid)
      return async () => {
        if (stopped.delete(pid)) process.kill(pid, 'SIGCONT')
      }
    },
    async stop() {
      for (const pid of stopped) process.kill(pid, 'SIGCONT')
      stopped.clear()
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

/** Opens the store that all instances of a name share. */
export function openSharedStore(urls: readonly string[], stage: Stage): Promise<Store> {
  return openStore(urls, { name: storeName, replicas: stage === 'cluster' ? 3 : 1, patienceMs })
}

async function startCluster(): Promise<readonly RunningNatsServer[]> {
  const ports = await findPorts(3)
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(', ')
  const cluster = (port: number): string => `cluster { name: chaos, listen: 127.0.0.1:${port}, routes: [${routes}] }`
  return Promise.all(ports.map((port, at) => startJetStream({ config: `server_name: s${at}\n${cluster(port)}` })))
}

/** Which server leads the journal's stream; the first one where nobody says. */
async function findLeader(urls: readonly string[]): Promise<number> {
  const connection = await dialNats({ servers: [...urls], connectTimeoutMs: 1_000 })
  try {
    const manager = await jetstreamManager(connection, { timeout: 1_000 })
    const { cluster } = await manager.streams.info(`${storeName}_journal`)
    return Number(cluster?.leader?.slice(1) ?? 0)
  } catch {
    return 0
  } finally {
    await connection.close()
  }
}
