import { jetstreamManager } from '@nats-io/jetstream'
import { compareVersions, type RunningNatsServer } from '@parley/nats-server'
import { isMeshError } from '@parley/protocol'
import { dialNats } from '@parley/transport-nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore, startJetStream } from './broker-store.ts'
import { findPorts } from './find-ports.ts'

describe('openNatsStore on a cluster of three', () => {
  let servers: readonly RunningNatsServer[]
  beforeAll(async () => {
    const ports = await findPorts(3)
    const routes = ports.map((port) => `nats://127.0.0.1:${String(port)}`).join(', ')
    servers = await Promise.all(
      ports.map((port, at) =>
        startJetStream({
          config: `server_name: s${String(at)}\ncluster { name: test, listen: 127.0.0.1:${String(port)}, routes: [${routes}] }`,
        }),
      ),
    )
  }, 30_000)
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()))
  })

  it('T20: keeps every acknowledged append on three replicas, and goes on when the leader is killed', async ({
    skip,
  }) => {
    skip(
      compareVersions(servers[0]?.version ?? '', '2.11.0') < 0,
      'needs nats-server 2.11: replicas are refused before',
    )
    const urls = servers.map(({ url }) => url)
    const store = await openStore(urls, { name: 'cluster', replicas: 3, patienceMs: 20_000 })
    expect(store.facts()).toMatchObject({ replicas: 3, lacks: [] })
    let isDone = false
    const kept: number[] = []
    const write = async (writer: number): Promise<void> => {
      for (let last = 0; !isDone;) {
        try {
          last = await store.journal.append(`w${writer}`, last, [Uint8Array.of(writer), Uint8Array.of(last & 0xff)])
          kept[writer] = last
        } catch (error) {
          // A definite no, while there is no leader: written again. Anything else is a defect.
          if (!isMeshError(error) || error.code !== 'store.unavailable') throw error
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      }
    }
    const writers = Array.from({ length: 8 }, (_, writer) => write(writer))
    const count = (): number => kept.reduce((sum, last) => sum + last, 0)
    await expect.poll(count).toBeGreaterThan(80)
    const connection = await dialNats({ servers: urls })
    const { cluster } = await (await jetstreamManager(connection)).streams.info('cluster_journal')
    await connection.close()
    const leader = servers[Number(cluster?.leader?.slice(1))]
    expect(leader).toBeDefined()
    await leader?.kill()
    const atKill = count()
    await expect.poll(count, { timeout: 20_000 }).toBeGreaterThan(atKill + 80)
    await leader?.restart()
    isDone = true
    await Promise.all(writers)
    for (const [writer, last] of kept.entries()) {
      const entries = await store.journal.read(`w${writer}`)
      expect(entries.map(({ position }) => position)).toEqual(Array.from({ length: last }, (_, at) => at + 1))
    }
    await store.close()
  }, 60_000)
})
