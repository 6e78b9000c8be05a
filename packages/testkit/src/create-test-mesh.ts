import { createManualClock, createSeededRandom, type Transport } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { createNode, localIssuer, type AppendedRecord, type MeshNode } from '@parley/mesh'
import type { TestMesh, TestMeshOptions } from './test-mesh.ts'

/** How far `close` moves the clock, so that nodes with calls in flight stop waiting for them. */
const closeAdvanceMs = 2_000

/** How far `node` and `reconnect` move the clock, so that a node and the others have heard of each other. */
const discoveryMs = 50

interface Member {
  readonly transport: Transport
  readonly records: AppendedRecord[]
}

/**
 * Creates a mesh in memory with real nodes: real keys and signatures, every stage on, no server, no waiting. Time stands
 * still until the clock is advanced.
 */
export function createTestMesh(options: TestMeshOptions = {}): TestMesh {
  const { seed = 1, alias = 'acme', clock = createManualClock() } = options
  const random = createSeededRandom(seed)
  const issuer = localIssuer(alias, { clock, random })
  const members = new Map<MeshNode, Member>()
  const memberOf = (node: MeshNode): Member => {
    const member = members.get(node)
    if (!member) throw new MeshError('mesh.config-invalid', `${node.name} is not a node of this test mesh`)
    return member
  }
  let closing: Promise<void> | undefined
  const mesh: TestMesh = {
    clock,
    random,
    issuer,
    bus: issuer.bus,
    async node(name, { serve, ...more } = {}) {
      const transport = more.transport ?? issuer.bus.connect()
      const records: AppendedRecord[] = []
      const node = await createNode({
        issuer,
        clock,
        random,
        ...more,
        name,
        transport,
        onRecord(record) {
          records.push(record)
          more.onRecord?.(record)
        },
      })
      members.set(node, { transport, records })
      serve?.(node)
      await node.start()
      await clock.advance(discoveryMs)
      return node
    },
    recordsOf: (node) => [...memberOf(node).records],
    disconnect(node) {
      issuer.bus.disconnect(memberOf(node).transport)
    },
    async reconnect(node) {
      issuer.bus.reconnect(memberOf(node).transport)
      await clock.advance(discoveryMs)
    },
    close() {
      closing ??= (async () => {
        const closed = Promise.all([...members.keys()].map((node) => node.close()))
        await clock.advance(closeAdvanceMs)
        await closed
      })()
      return closing
    },
    [Symbol.asyncDispose]: () => mesh.close(),
  }
  return mesh
}
