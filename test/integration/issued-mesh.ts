import { createLocalIssuer, formatJoinToken, type JoinRequest, type LocalIssuer } from '@parley/identity'
import { createManualClock, createSeededRandom, type ManualClock, type Random, type Transport } from '@parley/ports'
import {
  createIssuerNode,
  createNode,
  joinMesh,
  type AppendedRecord,
  type IssuerNodeOptions,
  type MeshNode,
  type NodeOptions,
} from '@parley/mesh'
import { openSqliteStore } from '@parley/store-sqlite'
import { createMemoryBus, type MemoryBus } from '@parley/transport-memory'

/** A mesh whose issuer is a node of its own, with a store that outlives it. */
export interface IssuedMesh extends AsyncDisposable {
  readonly clock: ManualClock
  readonly random: Random
  readonly bus: MemoryBus
  readonly acme: LocalIssuer
  readonly records: Map<MeshNode, AppendedRecord[]>
  /** Starts the issuer; once it was closed, another one over the same store. */
  openIssuer(options?: Partial<IssuerNodeOptions>): Promise<MeshNode>
  /** Makes a join token as the text that a process is given. */
  token(name: string, more?: Partial<JoinRequest>): Promise<string>
  /** Creates a node that joins with a token of its own, unless it is given another; it is not started. */
  node(name: string, options?: Partial<NodeOptions> & { readonly token?: string }): Promise<MeshNode>
  /** Starts a node, moving the clock meanwhile. */
  start(node: MeshNode): Promise<void>
  close(node: MeshNode): Promise<void>
  transportOf(node: MeshNode): Transport
}

/** Opens the bus, the owner and the issuer's store; nothing runs yet. */
export async function openIssuedMesh(
  terms: { readonly credentialMs?: number; readonly heartbeatMs?: number } = {},
): Promise<IssuedMesh> {
  const { heartbeatMs = 2_000, ...life } = terms
  const clock = createManualClock()
  const random = createSeededRandom(7)
  const bus = createMemoryBus({ clock, random })
  const acme = createLocalIssuer({ alias: 'acme', clock, random, ...life })
  const store = await openSqliteStore({ path: ':memory:', clock })
  // A restarted issuer finds what the one before has written.
  const lasting = { ...store, close: () => Promise.resolve() }
  const open = new Set<MeshNode>()
  const transports = new Map<MeshNode, Transport>()
  const records = new Map<MeshNode, AppendedRecord[]>()
  const keep = (node: MeshNode, transport: Transport, kept: AppendedRecord[]): MeshNode => {
    open.add(node)
    transports.set(node, transport)
    records.set(node, kept)
    return node
  }
  const mesh: IssuedMesh = {
    clock,
    random,
    bus,
    acme,
    records,
    async openIssuer(options = {}) {
      const transport = bus.connect()
      const kept: AppendedRecord[] = []
      const common = { issuer: acme, clock, random, transport, heartbeatMs, store: lasting }
      const node = await createIssuerNode({ ...common, onRecord: (record) => kept.push(record), ...options })
      keep(node, transport, kept)
      await mesh.start(node)
      return node
    },
    async token(name, more = {}) {
      const { token } = await acme.joinToken({ name, ...more })
      return formatJoinToken(token)
    },
    async node(name, { token, ...options } = {}) {
      const transport = bus.connect()
      const kept: AppendedRecord[] = []
      const issuer = joinMesh(token ?? (await mesh.token(name)))
      const common = { name, issuer, clock, random, transport, heartbeatMs }
      return keep(await createNode({ ...common, onRecord: (record) => kept.push(record), ...options }), transport, kept)
    },
    async start(node) {
      const started = node.start()
      // A start that fails is told by the await below.
      started.catch(() => undefined)
      for (let step = 0; step < 16; step++) await clock.advance(step < 4 ? 25 : 1_000)
      await started
    },
    async close(node) {
      open.delete(node)
      const closed = node.close()
      await clock.advance(2_000)
      await closed
    },
    transportOf(node) {
      const transport = transports.get(node)
      if (!transport) throw new Error('not a node of this mesh')
      return transport
    },
    async [Symbol.asyncDispose]() {
      for (const node of open) await mesh.close(node)
      await store.close()
    },
  }
  return mesh
}
